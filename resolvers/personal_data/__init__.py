"""Personal data in what people write: found, masked in what others read, and left out of the public search.

docs/privacy.md says what is found, and how often.
"""
