"""How a gradient becomes a step uphill: a chain of small rules."""
