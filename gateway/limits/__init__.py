"""Limits that are checked before an operation runs."""
