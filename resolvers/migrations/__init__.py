"""Changes to the documents that are stored."""
