"""Agencies, their regions, categories, teams and action plans."""
