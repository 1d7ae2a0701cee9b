"""The audit of complaints: who did what, as entries chained by hash.

An entry is written in the same update as the change that it records, then moved to its own collection. docs/privacy.md.
"""
