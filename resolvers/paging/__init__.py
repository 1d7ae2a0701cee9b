"""Lists in pages: the keys to read, the cursors, the pages."""
