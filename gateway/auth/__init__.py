"""Credentials to a Viewer."""
