"""What we are measured against: the same answers, policy filter and write, by other means."""
