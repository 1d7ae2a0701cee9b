"""Request text to a checked operation."""
