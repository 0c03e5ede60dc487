"""Panels: several pictures dreamed at once, side by side on one sheet; only the score sees them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Panels(NamedTuple):
    """How many pictures lie below and beside one another on a sheet; they are counted row by row, from 0."""

    rows: int = 1
    columns: int = 1

    @property
    def count(self) -> int:
        """How many there are."""
        return self.rows * self.columns

    def of(self, sheet: tuple[int, int]) -> tuple[int, int]:
        """Returns the (height, width) of a panel, given that of the sheet."""
        return sheet[0] // self.rows, sheet[1] // self.columns

    def sheet(self, panel: tuple[int, int]) -> tuple[int, int]:
        """Returns the (height, width) of the sheet, given that of a panel."""
        return panel[0] * self.rows, panel[1] * self.columns

    def windows(self, sheet: tuple[int, int]) -> list[tuple[slice, slice]]:
        """Returns the rows and columns of each panel on a sheet of this (height, width)."""
        height, width = self.of(sheet)
        return [
            (slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width))
            for row in range(self.rows)
            for column in range(self.columns)
        ]

    def filled(self, panel: np.ndarray) -> np.ndarray:
        """Returns a sheet with the same ``(height, width, ...)`` array in every panel."""
        import numpy as np

        return panel if self == SINGLE else np.tile(panel, (*self, *(1,) * (panel.ndim - 2)))


SINGLE = Panels()
"""One picture, which is the sheet."""
