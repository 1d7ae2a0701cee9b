"""The vault: reporters' identities, encrypted apart from the complaint, with a log of every reading."""
