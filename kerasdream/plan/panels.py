"""Panels: several pictures dreamed at once, side by side on one sheet. Only the score sees them together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Panels(NamedTuple):
    """Rows and columns of panels on a sheet. Panels are numbered row by row, from 0."""

    rows: int = 1
    columns: int = 1

    @property
    def number(self) -> int:
        """Number of panels."""
        return self.rows * self.columns

    def of(self, sheet: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) of a panel of a sheet with this (height, width)."""
        return sheet[0] // self.rows, sheet[1] // self.columns

    def sheet(self, panel: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) of a sheet of panels with this (height, width)."""
        return panel[0] * self.rows, panel[1] * self.columns

    def windows(self, sheet: tuple[int, int]) -> list[tuple[slice, slice]]:
        """Return the rows and columns of each panel on a sheet with this (height, width)."""
        height, width = self.of(sheet)
        return [
            (slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width))
            for row in range(self.rows)
            for column in range(self.columns)
        ]

    def filled(self, panel: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return a sheet with the same ``(height, width, ...)`` array in every panel."""
        return panel if self == SINGLE else np.tile(panel, (*self, *(1,) * (panel.ndim - 2)))


SINGLE = Panels()
"""A single picture, which is the whole sheet."""
