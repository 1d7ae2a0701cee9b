"""The chain of migrations: each brings documents that an earlier release stored to the shape of a later one.

`chain` holds the table and the range of versions that this release reads, `runner` applies what is missing, and the
other modules hold the migrations themselves, by subject. docs/architecture.md says how to add one.
"""
