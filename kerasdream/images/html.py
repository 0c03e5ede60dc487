"""A finished picture as HTML, for notebooks: before and after, the course of the score, facts and the recipe."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from kerasdream.images.arrays import resize
from kerasdream.images.reading import fit
from kerasdream.images.writing import encoded

SHOWN_SIDE = 768
"""Longest side of an embedded picture, in pixels: a notebook keeps it in its file."""

_WIDTH, _HEIGHT, _MARGIN = 320, 64, 4

_BLOCK = "display: flex; gap: 12px; align-items: flex-start; margin: 0"
_FIGURE = "margin: 0; flex: 0 1 auto; min-width: 0"
_SMALL = "font-size: 0.85em; opacity: 0.75; margin: 4px 0"


def as_html(
    after: np.ndarray,
    *,
    before: np.ndarray | None = None,
    alpha: np.ndarray | None = None,
    name: str = "",
    scores: Sequence[float] = (),
    facts: Sequence[str] = (),
    recipe: str = "",
) -> str:
    """Return a fragment of HTML that needs no other file and no script.

    Args:
        after, before: (height, width, 3), uint8 or floats in [-1, 1]; embedded as PNG of at most ``SHOWN_SIDE`` pixels.
        alpha: of ``after``, (height, width) floats in [0, 1].
        name: of the picture.
        scores: the score before each step.
        facts: sentences below the pictures.
        recipe: shown when it is unfolded.
    """
    figures = [_figure(after, "dream", f"dream of {name}".removesuffix(" of "), alpha)]
    if before is not None:
        figures.insert(0, _figure(before, "before", name or "before"))
    below = [_curve(scores), *(f'<p style="{_SMALL}">{escape(fact)}</p>' for fact in facts)]
    if recipe:
        below.append(f'<details style="{_SMALL}"><summary>recipe</summary><pre>{escape(recipe)}</pre></details>')
    return f'<div class="kerasdream"><div style="{_BLOCK}">{"".join(figures)}</div>{"".join(below)}</div>'


def _figure(pixels: np.ndarray, caption: str, described: str, alpha: np.ndarray | None = None) -> str:
    height, width = pixels.shape[:2]
    shown = fit(height, width, SHOWN_SIDE)
    data = encoded(
        resize(pixels, shown),
        alpha=None if alpha is None else resize(alpha, shown).clip(0, 1),
        format="png",
    )
    source = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return (
        f'<figure style="{_FIGURE}"><img src="{source}" alt="{escape(described)}" width="{shown[1]}" '
        f'style="max-width: 100%; height: auto">'
        f'<figcaption style="{_SMALL}">{caption}, {width}×{height}</figcaption></figure>'
    )


def _curve(scores: Sequence[float]) -> str:
    """Return the scores as a line of SVG, in the colour of the text; nothing for fewer than two."""
    values = np.asarray([score for score in scores if np.isfinite(score)], float)
    if len(values) < 2:
        return ""
    spread = np.ptp(values) or 1.0
    x = np.linspace(_MARGIN, _WIDTH - _MARGIN, len(values))
    y = _HEIGHT - _MARGIN - (values - values.min()) / spread * (_HEIGHT - 2 * _MARGIN)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    text = f"score before each of {len(scores)} steps: lowest {values.min():.4g}, highest {values.max():.4g}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" style="max-width: 100%">'
        f'<title>{text}</title><polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
        f'<p style="{_SMALL}">{text}</p>'
    )
