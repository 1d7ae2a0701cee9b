"""The rules in force: service policies and holidays."""
