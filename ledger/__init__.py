"""What duban remembers: obligations, letters, submissions, and an append-only log of events."""
