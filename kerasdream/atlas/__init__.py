"""``kerasdream atlas``: the drawings of a network's layers, channels or classes, side by side."""
