"""Pages of lists: keys, cursors, filters."""
