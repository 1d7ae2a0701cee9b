"""How fields get their data."""
