"""``kerasdream atlas``: what the layers, channels or classes of a network draw, side by side."""
