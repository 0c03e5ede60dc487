"""Steps on the finished picture."""
