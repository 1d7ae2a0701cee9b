"""Refusals before any work is done."""
