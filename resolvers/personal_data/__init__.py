"""Personal data in texts: found, masked, and searched without them."""
