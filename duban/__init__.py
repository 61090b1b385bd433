"""The decisions: what is due when, who is told, and how it stands. Pure: no I/O, and no clock."""
