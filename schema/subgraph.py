"""Subgraph: what agencies add to the graph; check, publish, retire."""
