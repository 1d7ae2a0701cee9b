"""What one request works with: its context, its loaders, its updates."""
