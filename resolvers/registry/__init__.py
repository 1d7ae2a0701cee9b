"""Agencies' subgraphs: published versions, usage of their fields, local cases."""
