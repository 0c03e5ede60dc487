"""Speed and memory of kerasdream's gradient step, compared with the two published implementations of DeepDream.

``make bench`` runs the benchmarks; ``python -m benchmarks --help`` lists the options. The measurements run one by one,
each in its own process:

=============  ========================================================================================================
``speed.py``   the contestants take turns on one picture: time per covered pixel, and how many times faster
``alone.py``   one contestant, one size: time to the first step, peak memory, whether the cost per pixel is constant
``loop.py``    whole dreams: the gradient's share of the octave loop's time
``peak.py``    the speed of this machine's convolutions, and the operations that the gradient of a pixel needs
=============  ========================================================================================================

The contestants are in ``contestants.py``; ``figures.py`` turns measurements into numbers, ``table.py`` into Markdown.
"""
