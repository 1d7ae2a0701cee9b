"""The contract: `build()` gives the schema; nothing else is exported."""
