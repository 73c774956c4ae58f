"""The tables of a paper as LaTeX: in the text, as floats, or in pieces where they are long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from core.paper import latex_text as latex
from core.paper.latex_inlines import InlineWriter
from core.paper.table_layout import (
    LONGEST_WORD,
    MOST_FLOATING,
    MOST_WHOLE,
    TableLayout,
    even_shares,
    table_layout,
)
from core.paper.tree import Grid, Inline, Styled

_SIZES: Final = {"plain": "small", "small": "footnotesize", "tiny": "scriptsize"}


class TableWriter:
    """Writes tables.

    Args:
        inlines: writes what stands in the cells.
    """

    def __init__(self, inlines: InlineWriter) -> None:
        self._inlines = inlines
        self._wide_tables = 0

    def write(self, grid: Grid) -> str:
        """A table as a float, in the text or in pieces."""
        layout = table_layout(grid)
        self._inlines.longest = layout.longest
        try:
            return self._laid_out(grid, layout)
        finally:
            self._inlines.longest = LONGEST_WORD

    def _laid_out(self, grid: Grid, layout: TableLayout) -> str:
        if layout.lines > MOST_FLOATING:
            return self._in_pieces(grid, layout)
        size = _SIZES[layout.size]
        columns = self._columns(grid, layout)
        table = f"\\begin{{tabular}}{{{columns}}}\n{self._rows(grid)}\n\\end{{tabular}}"
        table = rf"\fitting{{{table}}}" if not layout.shares else table
        if not grid.caption and not layout.across:
            return f"\\begin{{center}}\\{size}\n{table}\n\\end{{center}}"
        name = "table*" if layout.across else "table"
        label, before = f"at:{latex.name(grid.label)}" if grid.label else "", ""
        if not grid.caption:
            self._wide_tables += 1
            label = label or f"wide:{self._wide_tables}"
            before = rf"See Table~\ref{{{label}}}." + "\n\n"
        caption = rf"\caption{{{self._inlines.write(grid.caption, fragile=True)}}}"
        label = rf"\label{{{label}}}" if label else ""
        return f"{before}\\begin{{{name}}}[tb]\\centering\\{size}\n{caption}{label}\n{table}\n\\end{{{name}}}"

    def _in_pieces(self, grid: Grid, layout: TableLayout) -> str:
        """A table too long for a column, as pieces of one; they have its columns in common."""
        columns = self._columns(grid, replace(layout, shares=layout.shares or even_shares(grid)))
        each = max(1, MOST_WHOLE * len(grid.rows) // layout.lines)
        size = _SIZES[layout.size]
        head = (
            rf"\noindent\textbf{{{self._inlines.write(grid.caption, fragile=True)}}}\par"
            if grid.caption
            else ""
        )
        chunks = (grid.rows[start : start + each] for start in range(0, len(grid.rows), each))
        begin = rf"\noindent\begin{{tabular}}{{{columns}}}"
        pieces = [
            f"{begin}\n{self._rows(replace(grid, rows=rows))}\n\\end{{tabular}}\\par" for rows in chunks
        ]
        return f"{{\\{size}\n" + "\n".join(filter(None, (head, *pieces))) + "}"

    def _columns(self, grid: Grid, layout: TableLayout) -> str:
        if not layout.shares:
            return "".join(a[0] if a in ("left", "center", "right") else "l" for a in grid.align)
        # The space lets the first word of a cell be broken.
        ragged = r">{\raggedright\arraybackslash\hspace{0pt}}"
        widths = (rf"\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax" for share in layout.shares)
        return "".join(f"{ragged}p{{{width}}}" for width in widths)

    def _rows(self, grid: Grid) -> str:
        header = self._cells(tuple((Styled("strong", cell),) for cell in grid.header), len(grid.header))
        body = "\n".join(rf"{self._cells(row, len(grid.header))} \\" for row in grid.rows)
        return f"\\toprule\n{header} \\\\\n\\midrule\n{body}\n\\bottomrule"

    def _cells(self, row: Iterable[tuple[Inline, ...]], columns: int) -> str:
        # Empty braces: a bracket at the start of a row would be read as a length.
        cells = [f"{{}}{self._inlines.write(cell, fragile=True)}" for cell in row][:columns]
        return " & ".join(cells + ["{}"] * (columns - len(cells)))
