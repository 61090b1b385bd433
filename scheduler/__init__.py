"""What runs duban: the clock, the daemon, the simulator, the wiring and the command line."""
