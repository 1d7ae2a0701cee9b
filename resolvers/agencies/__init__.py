"""Agencies and what belongs to them: regions, categories, teams and action plans, read and changed.

Regions, categories, agencies and teams are reference data: queries read them from the process, mutations from the
database.
"""
