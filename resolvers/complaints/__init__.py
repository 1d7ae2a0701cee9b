"""A complaint's life: what can be done with it, and how it is read."""
