"""One request: its context, its loaders, its changes, and the interface to the federation engine."""
