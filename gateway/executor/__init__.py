"""Local execution: an operation compiled once, run many times."""
