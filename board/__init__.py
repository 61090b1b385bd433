"""Where people look: the pages of sections, officials and the office, and what machines ask."""
