"""Binds a paper's text to its evidence: tokens become numbers, and nothing typed by hand is left.

``bind`` says what is wrong so that the author can repair it; ``strike`` never fails: it strikes
out what cannot be supported, and counts it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import BindingError
from core.evidence import markup, plots, tables
from core.evidence.bound import Bound, BoundNumber, Problem
from core.evidence.evidence import Evidence
from core.evidence.formats import read_format
from core.evidence.measurement import Key
from core.evidence.numbers import Numbers
from core.evidence.passage import Checks, Passage

RULES = "1"
"""Of what a text may not say by itself (prose, wording, formulas, works, markup); raised with every change
of them that strikes more or less, so that papers of other rules can be told from forged ones."""

_WIDE_TABLE = re.compile(r"^[ \t>]*+(?:[ \t:-]*+\|){65,}+[ \t:-]*+$", re.MULTILINE)
"""The rule under the head of a table that fits no page; reading such a table takes for ever."""

_REMOVED_BLOCK = "~~(a table or plot without evidence was removed)~~"


def bind(markdown: str, evidence: Evidence) -> Bound:
    """Put numbers in the place of tokens and report everything that has no evidence.

    Args:
        markdown: the author's text, with tokens.
        evidence: what it may rest on.
    """
    return _Text(evidence, Numbers(evidence), striking=False).bound(markdown)


def strike(markdown: str, evidence: Evidence) -> Bound:
    """Like ``bind``, but what has no evidence is struck through or removed; never fails."""
    return strike_together([markdown], evidence)[0]


def strike_together(texts: Sequence[str], evidence: Evidence) -> tuple[Bound, ...]:
    """Strike several texts of one paper, such as abstract and body, that share an appendix."""
    numbers = Numbers(evidence)
    return tuple(_Text(evidence, numbers, striking=True).bound(text) for text in texts)


class _Text:
    """One text: passages of Markdown, and blocks that code fills."""

    def __init__(self, evidence: Evidence, numbers: Numbers, *, striking: bool) -> None:
        self._evidence = evidence
        self._numbers = numbers
        self._checks = Checks(evidence, numbers, striking)

    def bound(self, markdown: str) -> Bound:
        known = len(self._numbers.placed())
        text, hidden = markup.without_hidden(markdown)
        for line, name in hidden[:20]:
            problem = Problem(
                "hidden character", line, name, "it holds a hidden character", "Type plain text"
            )
            self._checks.problems.append(problem)
        text = _WIDE_TABLE.sub(lambda line: line[0].replace("|", r"\|", 1), text)
        parts = [part for part in self._parts(text) if not isinstance(part, str) or part.strip()]
        return Bound(
            parts=tuple(parts),
            numbers=self._numbers.placed()[known:],
            problems=tuple(sorted(self._checks.problems, key=lambda p: p.line)),
            warnings=tuple(sorted(self._checks.warnings, key=lambda w: w.line)),
            citations=tuple(self._checks.citations),
        )

    def _parts(self, text: str) -> list[str | tables.Table | plots.Plot]:
        parts: list[str | tables.Table | plots.Plot] = []
        fenced = markup.fenced_ranges(text)
        start = 0
        for match in tables.BLOCK.finditer(text):
            inside = any(first <= match.start() < last for first, last in fenced)
            if match.start() < start or inside:
                continue
            parts.append(self._passage(text[start : match.start()], text.count("\n", 0, start) + 1))
            parts.append(self._block(match[1], match[2], text.count("\n", 0, match.start()) + 1))
            start = match.end()
        parts.append(self._passage(text[start:], text.count("\n", 0, start) + 1))
        return parts

    def _passage(self, text: str, line: int) -> str:
        return Passage(text, line, self._checks).bound()

    def _block(self, kind: str, body: str, line: int) -> str | tables.Table | plots.Plot:
        try:
            request = tables.read_block(kind, body)
            if request.kind == "table":
                return self._table(request, line)
            return self._plot(request, line)
        except BindingError as error:
            excerpt = " ".join(f"::: {kind} {body}".split())[:120]
            problem = Problem("unresolved", line, excerpt, error.message, error.next_step)
            self._checks.problems.append(problem)
            return _REMOVED_BLOCK if self._checks.striking else ""

    def _caption(self, request: tables.BlockRequest, line: int) -> str:
        return " ".join(self._passage(request.attributes["caption"], line).split())

    def _table(self, request: tables.BlockRequest, line: int) -> tables.Table:
        wanted = request.attributes.get("fmt", "")
        read_format(wanted)
        filled = tables.table_cells(request, self._evidence)
        caption = self._caption(request, line)
        rows = []
        for levels, keys in zip(filled.rows, filled.cells, strict=True):
            named = [markup.escape(str(level)) for level in levels] or [""]
            rows.append((*named, *(self._cell(key, wanted) for key in keys)))
        return tables.Table(
            label=request.label,
            caption=caption,
            header=(
                *map(markup.escape, filled.row_factors or ("",)),
                *map(markup.escape, filled.column_names),
            ),
            rows=tuple(rows),
            named_columns=max(1, len(filled.row_factors)),
        )

    def _cell(self, key: Key | None, wanted: str) -> str:
        if key is None:
            return "–"
        expression = f"pm({key.name})" if len(key.measurements) > 1 else key.name
        try:
            number = self._numbers.place(self._numbers.resolve(expression, wanted).number)
        except BindingError as error:
            if all(value == value and abs(value) != float("inf") for value in key.values):
                raise
            return markup.escape(error.message)
        return f"[{markup.escape(number.text)}](#{number.id})"

    def _plot(self, request: tables.BlockRequest, line: int) -> plots.Plot:
        curves, rests = plots.plot_curves(request, self._evidence)
        metric, x = request.attributes["metric"], request.attributes.get("x", "step")
        points = sum(len(curve.points) for curve in curves)
        number = self._numbers.place(
            BoundNumber(
                id="",
                expression=f"plot {request.label}: {metric} over {x}",
                format="",
                text=f"{points} points",
                value=points,
                n=len(rests),
                level="reported",
                measurement_ids=(),
                places=tuple(dict.fromkeys((m.exec_id, m.line) for m in rests)),
            )
        )
        return plots.Plot(
            label=request.label,
            caption=self._caption(request, line),
            metric=metric,
            x=x,
            log=request.attributes.get("log", ""),
            curves=curves,
            id=number.id,
            unit=plots.unit_of(metric, self._evidence),
        )
