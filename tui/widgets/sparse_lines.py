"""Lines of a long page: only those that are seen are made."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content


class SparseLines(Sequence[Content]):
    """Lines of which only some are made; the others are empty until they come into sight.

    Args:
        count: how many there are.
        made: those that are made, by their place.

    Attributes:
        made: those that are made by now.
    """

    def __init__(self, count: int, made: dict[int, Content]) -> None:
        self._count = count
        self.made = made

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, y: int) -> Content:  # type: ignore[override]  # slices are never asked for
        if not 0 <= y < self._count:
            raise IndexError(y)
        return self.made.get(y) or Content()
