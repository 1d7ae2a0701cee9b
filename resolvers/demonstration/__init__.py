"""Synthetic complaints for demonstrations and benchmarks, and the accuracy of the routing rules on them."""
