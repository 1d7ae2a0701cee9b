"""Who reported: sealed apart from the complaint, with every opening on record."""
