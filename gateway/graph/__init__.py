"""The graphs that endpoints serve: the national one, those composed of subgraphs, and the one that is live now."""
