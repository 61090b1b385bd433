"""What the office states: the plan, its overrides and holidays, and the daemon's settings."""
