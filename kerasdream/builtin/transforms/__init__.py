"""Changes to what the network sees, drawn anew for each step, so that nothing depends on one exact alignment."""
