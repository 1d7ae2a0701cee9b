"""Complaints: the actions of a complaint's life, its lists, its fields for each viewer, and its logs."""
