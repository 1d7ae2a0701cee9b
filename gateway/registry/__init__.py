"""Agencies' subgraphs: what they may say, their versions, and the supergraph that is served with them."""
