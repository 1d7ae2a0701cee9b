"""Subgraphs of agencies: published versions, the live supergraph, usage of fields, entities and local cases."""
