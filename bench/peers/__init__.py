"""The peers of the measurements: the same answers, policy filter and write, by other means."""
