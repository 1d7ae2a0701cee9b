"""Query plan to a response."""
