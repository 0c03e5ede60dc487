"""What a dream makes larger."""
