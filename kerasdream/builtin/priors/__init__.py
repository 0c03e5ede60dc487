"""What pictures are likely: terms of log p(picture), and constraints applied after each step."""
