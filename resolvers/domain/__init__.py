"""The rules of the complaint system as tables and pure functions, on the standard library alone.

A function here takes values and the present instant. It reads no clock, no setting and no database.
"""
