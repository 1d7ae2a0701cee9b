"""From the text of a request to an operation that can be run."""
