"""Measurements: what a request costs here and in the servers that a team would pick instead."""
