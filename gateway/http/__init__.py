"""ASGI endpoints."""
