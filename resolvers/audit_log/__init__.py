"""The audit: entries chained by hash, moved off the complaints that they were written with."""
