"""Operation to a query plan."""
