"""Authentication: credentials become a Viewer; requests to subgraphs are signed."""
