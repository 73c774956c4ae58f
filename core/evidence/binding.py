"""Binds a paper's text to its evidence: tokens become numbers, and nothing typed by hand is left.

``bind`` says what is wrong so that the author can repair it; ``strike`` never fails: it strikes
out what cannot be supported, and counts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from core.errors import BindingError
from core.evidence import markup, prose, tables
from core.evidence.evidence import Evidence
from core.evidence.expressions import Quantity, Resolver, percent_of_percent
from core.evidence.formats import Format, print_numbers, read_format
from core.evidence.formula import typed_in_formula
from core.evidence.measurement import Key
from core.evidence.names import known_names, levels_not_named

ProblemKind: TypeAlias = Literal[
    "unresolved", "typed number", "number word", "unsupported claim", "markup", "hidden character"
]

RESERVED_HEADINGS = (
    "hypotheses and verdicts",
    "every attempt",
    "departures from the plan",
    "what looks wrong",
    "every number",
    "compute and money",
    "versions",
)
"""Headings of sections that only code writes."""

_TOKEN = re.compile(r"\{\{((?:(?!\}\}|\n[ \t]*\n).){1,400}?)\}\}", re.DOTALL)
_FORMAT_TAIL = re.compile(r"(.*\S)\s*:\s*([^:()\"']*)", re.DOTALL)
_BEFORE_P = re.compile(r"\bp\s*=\s*$")
_PLAIN_LINK = re.compile(r"https?://[^\s]+|#(?:tab|fig|sec|eq)-[\w-]+")
_REMOVED = "~~(a passage whose numbers have no evidence was removed)~~"


@dataclass(frozen=True)
class BoundNumber:
    """One number (or word) in a paper that code put there.

    Attributes:
        id: its row of the evidence appendix, ``e1``, ``e2``, …
        expression: what the author wrote.
        format: how it is printed; empty for the default.
        text: as it is printed.
        value: at full precision: a number, a pair, or words.
        n: measurements that it rests on.
        level: the weakest level among them; ``judged``, ``setting`` or ``literal`` else.
        measurement_ids: what it rests on.
        places: exec ids and code lines.
        note: the reason of a literal; empty else.
    """

    id: str
    expression: str
    format: str
    text: str
    value: Any
    n: int
    level: str
    measurement_ids: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    note: str = ""

    @property
    def exec_ids(self) -> tuple[str, ...]:
        """The execs that it rests on."""
        return tuple(dict.fromkeys(exec_id for exec_id, _ in self.places))

    @property
    def lines(self) -> tuple[int, ...]:
        """The code lines that it rests on."""
        return tuple(sorted({line for _, line in self.places}))


@dataclass(frozen=True)
class Problem:
    """Something that a paper may not say as it stands.

    Attributes:
        kind: what sort.
        line: line of the author's text, from 1.
        excerpt: the words in question, bounded.
        reason: why it is refused.
        alternative: what the author can honestly write instead.
    """

    kind: ProblemKind
    line: int
    excerpt: str
    reason: str
    alternative: str


@dataclass(frozen=True)
class Warned:
    """Something that may be meant otherwise; it is not refused."""

    line: int
    excerpt: str
    reason: str


@dataclass(frozen=True)
class Bound:
    """A text with its numbers in place.

    Attributes:
        parts: Markdown, tables and plots in the order of the text.
        numbers: every number that was put in place.
        problems: what the author must repair; with ``strike``, what was struck.
        warnings: what the author should look at.
    """

    parts: tuple[str | tables.Table | tables.Plot, ...]
    numbers: tuple[BoundNumber, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Warned, ...]

    @property
    def text(self) -> str:
        """The whole as Markdown; each number links to its row of the appendix."""
        from core.evidence.rendering import part_as_markdown

        return "\n\n".join(filter(None, (part_as_markdown(part).strip("\n") for part in self.parts)))


def bind(markdown: str, evidence: Evidence, *, first: int = 1) -> Bound:
    """Put numbers in the place of tokens and report everything that has no evidence.

    Args:
        markdown: the author's text, with tokens.
        evidence: what it may rest on.
        first: number of the first row of the appendix.
    """
    return _Binder(evidence, first, striking=False).bind(markdown)


def strike(markdown: str, evidence: Evidence, *, first: int = 1) -> Bound:
    """Like ``bind``, but what has no evidence is struck through; never fails."""
    return _Binder(evidence, first, striking=True).bind(markdown)


@dataclass
class _Passage:
    """A stretch of Markdown between blocks, while it is worked on."""

    text: str
    line: int
    formulas: list[str] = field(default_factory=list)


class _Binder:
    def __init__(self, evidence: Evidence, first: int, *, striking: bool) -> None:
        self._evidence = evidence
        self._resolver = Resolver(evidence)
        self._names = known_names(evidence)
        self._first = first
        self._striking = striking
        self._numbers: dict[tuple[str, str, str], BoundNumber] = {}
        self._marks: list[BoundNumber | str] = []
        self._keys: dict[int, tuple[Key, ...]] = {}
        self._problems: list[Problem] = []
        self._warnings: list[Warned] = []

    def bind(self, markdown: str) -> Bound:
        text, hidden = markup.without_hidden(markdown)
        for line, name in hidden[:20]:
            self._problem("hidden character", line, name, "it holds a hidden character", "Type plain text")
        parts = list(self._parts(text))
        return Bound(
            parts=tuple(parts),
            numbers=tuple(self._numbers.values()),
            problems=tuple(sorted(self._problems, key=lambda p: p.line)),
            warnings=tuple(sorted(self._warnings, key=lambda w: w.line)),
        )

    def _parts(self, text: str) -> list[str | tables.Table | tables.Plot]:
        parts: list[str | tables.Table | tables.Plot] = []
        code = markup.code_ranges(text)
        start = 0
        for match in tables.BLOCK.finditer(text):
            if match.start() < start or _inside(match.start(), code):
                continue
            parts.append(self._passage(text[start : match.start()], _line(text, start)))
            parts.append(self._block(match[1], match[2], _line(text, match.start())))
            start = match.end()
        parts.append(self._passage(text[start:], _line(text, start)))
        return [part for part in parts if not isinstance(part, str) or part.strip()]

    # Passages of Markdown

    def _passage(self, text: str, line: int) -> str:
        passage = _Passage(text, line)
        self._close(passage)
        self._make_inert(passage)
        self._place_numbers(passage)
        passage.text, passage.formulas = markup.hide_formulas(passage.text)
        self._check_markup(passage)
        self._check_prose(passage)
        if self._striking:
            self._remove_what_is_left(passage)
        return self._show(passage)

    def _close(self, passage: _Passage) -> None:
        if "~~" in passage.text:
            self._problem(
                "markup", passage.line, "~~", "only code strikes text through", "Leave the sentence out"
            )
            passage.text = passage.text.replace("~", "")
        if re.search(r"^:::", passage.text, re.MULTILINE):
            for match in re.finditer(r"^:::.*$", passage.text, re.MULTILINE):
                self._problem(
                    "markup",
                    passage.line + passage.text.count("\n", 0, match.start()),
                    match[0],
                    "the block has no end or is no table or plot",
                    'Write ::: table #tab-x metric=… rows=… cols=… caption="…" and ::: on a line of its own',
                )
            passage.text = re.sub(r"^:::", r"\\:::", passage.text, flags=re.MULTILINE)
        if markup.left_open(passage.text):
            self._problem(
                "markup",
                passage.line,
                "```",
                "a code block is not closed",
                "Close it with ``` on its own line",
            )
            passage.text = passage.text.replace("```", "").replace("~~~", "")
            if markup.left_open(passage.text):
                passage.text = ""

    def _make_inert(self, passage: _Passage) -> None:
        safe, was_html = markup.inert(passage.text)
        if was_html:
            match = re.search(r"<[A-Za-z/!?][^\n]{0,40}", passage.text)
            assert match is not None
            self._problem(
                "markup",
                passage.line + passage.text.count("\n", 0, match.start()),
                match[0],
                "raw HTML is not shown",
                "Use Markdown; write a comparison as a formula, $a < b$ with spaces",
            )
        passage.text = safe

    def _place_numbers(self, passage: _Passage) -> None:
        code = markup.code_ranges(passage.text)
        source = passage.text

        def place(match: re.Match[str]) -> str:
            if _inside(match.start(), code):
                return match[0]
            line = passage.line + source.count("\n", 0, match.start())
            return self._token(match[1], line, source[: match.start()]) + "\n" * match[0].count("\n")

        passage.text = _TOKEN.sub(place, source)
        code = markup.code_ranges(passage.text)
        for match in re.finditer(r"\{\{|\}\}", passage.text):
            if not _inside(match.start(), code):
                line = passage.line + passage.text.count("\n", 0, match.start())
                if not _in_formula(passage.text, match.start()):
                    self._problem(
                        "unresolved",
                        line,
                        match[0],
                        "the token has no end",
                        "Write {{ key : .1% }} on one line",
                    )

    def _token(self, body: str, line: int, before: str) -> str:
        expression, wanted = " ".join(body.split()), ""
        tail = _FORMAT_TAIL.fullmatch(expression)
        if tail:
            expression, wanted = tail[1].strip(), tail[2].strip()
        try:
            quantity = self._resolver.resolve(expression)
            text = _printed(quantity, read_format(wanted), bool(_BEFORE_P.search(before)))
        except BindingError as error:
            self._problem("unresolved", line, f"{{{{ {expression} }}}}", error.message, error.next_step)
            return self._mark(f"~~{_harmless(expression)}~~" if self._striking else "~~?~~")
        return self._mark(self._number(expression, wanted, text, quantity), quantity.keys)

    def _number(self, expression: str, wanted: str, text: str, quantity: Quantity) -> BoundNumber:
        known = self._numbers.get((expression, wanted, text))
        if known is not None:
            return known
        places = quantity.places or tuple(dict.fromkeys((m.exec_id, m.line) for m in quantity.measurements))
        number = BoundNumber(
            id=f"e{self._first + len(self._numbers)}",
            expression=expression,
            format=wanted,
            text=text,
            value=quantity.value,
            n=len(quantity.measurements),
            level=quantity.level,
            measurement_ids=tuple(m.id for m in quantity.measurements),
            places=places,
            note=quantity.note,
        )
        self._numbers[expression, wanted, text] = number
        return number

    def _mark(self, shown: BoundNumber | str, keys: tuple[Key, ...] = ()) -> str:
        self._marks.append(shown)
        self._keys[len(self._marks) - 1] = keys
        return markup.mark(len(self._marks) - 1)

    # Checks

    def _check_markup(self, passage: _Passage) -> None:
        lines = passage.text.split("\n")
        for block in list(markup.blocks(passage.text)):
            for reason, alternative in self._forbidden(block):
                line = passage.line + block.first
                self._problem("markup", line, self._excerpt(block.text), reason, alternative)
                for number in range(block.first, min(block.last, len(lines))):
                    lines[number] = _without_links(lines[number])
        passage.text = "\n".join(lines)
        for token in markup.PARSER.parse(passage.text):
            start = token.attrGet("start") if token.type == "ordered_list_open" else None
            if start not in (None, 1) and token.map:
                self._problem(
                    "typed number",
                    passage.line + token.map[0],
                    str(start),
                    "a list must begin at its first item",
                    "Begin the list with 1., or use -",
                )
                if self._striking:
                    self._drop(passage, token.map[0], token.map[1])
                    return self._check_markup(passage)
        return None

    def _forbidden(self, block: markup.Block) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for token in block.token.children or ():
            href = str(token.attrGet("href") or "") if token.type == "link_open" else ""
            if token.type == "image":
                found.append(("an image is not from the evidence", "Use ::: plot"))
            elif href.startswith("#") and not _PLAIN_LINK.fullmatch(href):
                found.append(("only code links to the evidence", "Write the token; its link is made for you"))
            elif href and not _PLAIN_LINK.fullmatch(href):
                found.append(("a link must begin with https://", "Cite with [@key]"))
        return found

    def _check_prose(self, passage: _Passage) -> None:
        spans: list[tuple[int, int]] = []
        dropped: list[tuple[int, int]] = []
        starts = _line_starts(passage.text)
        for block in markup.blocks(passage.text):
            self._check_heading(passage, block, dropped)
            self._warn(passage, block)
            cursor = starts[block.first]
            end = starts[min(block.last, len(starts) - 1)]
            for found in self._found(passage, block):
                raw = block.text[found.start : found.end]
                place = passage.text.find(raw, cursor, end) if raw else -1
                line = _line(passage.text, place if place >= 0 else cursor) - 1 + passage.line
                self._refuse(found, block.text, line)
                if place >= 0 and block.token.type == "inline":
                    spans.append((place, place + len(raw)))
                    cursor = place + len(raw)
                else:
                    dropped.append((block.first, block.last))
        if self._striking:
            self._strike(passage, spans)
            for first, last in sorted(set(dropped), reverse=True):
                self._drop(passage, first, last)

    def _found(self, passage: _Passage, block: markup.Block) -> list[prose.Finding]:
        found = prose.findings(block.text, self._names)
        for index in markup.formula_numbers(block.text):
            typed = typed_in_formula(passage.formulas[index]) if index < len(passage.formulas) else ""
            if typed:
                place = block.text.index(prose.FORMULA + chr(0xF0000 + index))
                found.append(prose.Finding("typed number", place, place + 2, typed))
        return sorted(found, key=lambda f: f.start)

    def _check_heading(self, passage: _Passage, block: markup.Block, dropped: list[tuple[int, int]]) -> None:
        heading = " ".join(re.sub(r"[^a-z0-9 ]+", " ", block.text.lower()).split())
        lines = passage.text.split("\n")[block.first : block.last]
        is_heading = bool(lines) and (
            lines[0].lstrip().startswith("#") or len(lines) > 1 and _underlined(lines)
        )
        if is_heading and (heading in RESERVED_HEADINGS or re.fullmatch(r"e\d+", heading)):
            self._problem(
                "markup",
                passage.line + block.first,
                block.text,
                "code writes the section of that name",
                "Name the section otherwise",
            )
            dropped.append((block.first, block.last))

    def _warn(self, passage: _Passage, block: markup.Block) -> None:
        if block.cell:
            return
        for index, place in markup.marks(block.text):
            sentence = prose.sentence_around(block.text, place)
            missing = levels_not_named(self._keys.get(index, ()), sentence)
            if missing:
                shown = self._marks[index]
                expression = shown.expression if isinstance(shown, BoundNumber) else ""
                self._warnings.append(
                    Warned(
                        passage.line + block.first,
                        self._excerpt(sentence),
                        f"{expression}: the sentence does not name {' or '.join(missing)}",
                    )
                )

    def _refuse(self, found: prose.Finding, text: str, line: int) -> None:
        near = self._keys_named_in(prose.sentence_around(text, found.start))
        name_it = (
            f"Name a measurement such as {{{{ {near[0]} }}}}" if near else "Name a measurement: {{ key }}"
        )
        reason, alternative = {
            "typed number": (
                "a number typed by hand",
                f'{name_it}, a setting: {{{{ cfg(name) }}}}, or {{{{ lit(2, "why") }}}}',
            ),
            "number word": ("a quantity in words", f"{name_it}, or say it without a quantity"),
            "unsupported claim": (
                "a claim without evidence in its sentence",
                "Add {{ cmp(a, b) }}, {{ verdict(H1) }} or a citation [@key], or weaken it",
            ),
        }[found.kind]
        self._problem(found.kind, line, found.text, reason, alternative)

    def _keys_named_in(self, sentence: str) -> list[str]:
        keys = self._evidence.ledger.keys.values()
        return [k.name for k in keys if k.levels and not levels_not_named((k,), sentence)][:3]

    # Striking

    def _strike(self, passage: _Passage, spans: list[tuple[int, int]]) -> None:
        for start, end in sorted(set(spans), reverse=True):
            struck = passage.text[start:end].strip()
            if struck:
                passage.text = f"{passage.text[:start]}~~{struck}~~{passage.text[end:]}"

    def _drop(self, passage: _Passage, first: int, last: int) -> None:
        lines = passage.text.split("\n")
        lines[first:last] = ["", _REMOVED, *[""] * max(0, last - first - 2)]
        passage.text = "\n".join(lines)

    def _remove_what_is_left(self, passage: _Passage) -> None:
        """Check what a reader will see; a block in which anything is left goes as a whole."""
        for _ in range(20):
            left = [b for b in markup.blocks(passage.text) if self._found(passage, b) or self._forbidden(b)]
            if not left:
                return
            self._drop(passage, left[-1].first, left[-1].last)
        passage.text = _REMOVED

    # Showing

    def _show(self, passage: _Passage) -> str:
        linked = {index for block in markup.blocks(passage.text) for index in _outside_links_and_code(block)}

        def number(index: int) -> str:
            shown = self._marks[index]
            if isinstance(shown, str):
                return shown
            escaped = markup.escape(shown.text)
            return f"[{escaped}](#{shown.id})" if index in linked else escaped

        def plain(index: int) -> str:
            shown = self._marks[index]
            return "?" if isinstance(shown, str) else shown.text.replace("%", r"\%")

        def formula(index: int) -> str:
            return (
                markup.replace_marks(passage.formulas[index], plain) if index < len(passage.formulas) else ""
            )

        return markup.show_formulas(markup.replace_marks(passage.text, number), formula)

    def _excerpt(self, text: str) -> str:
        def shown(index: int) -> str:
            number = self._marks[index]
            return number if isinstance(number, str) else number.text

        plain = markup.show_formulas(markup.replace_marks(text, shown), lambda index: "$…$")
        return " ".join(plain.split())[:120]

    def _problem(self, kind: ProblemKind, line: int, excerpt: str, reason: str, alternative: str) -> None:
        self._problems.append(Problem(kind, line, self._excerpt(excerpt), reason, alternative))

    # Blocks

    def _block(self, kind: str, body: str, line: int) -> str | tables.Table | tables.Plot:
        try:
            request = tables.read_block(kind, body)
            caption = self._passage(request.attributes["caption"], line).strip()
            caption = " ".join(caption.split())
            if request.kind == "table":
                return self._table(request, caption)
            return self._plot(request, caption)
        except BindingError as error:
            self._problem("unresolved", line, f"::: {kind} {body.strip()}", error.message, error.next_step)
            return "~~(a table or plot without evidence was removed)~~" if self._striking else ""

    def _table(self, request: tables.BlockRequest, caption: str) -> tables.Table:
        wanted = request.attributes.get("fmt", "")
        chosen = read_format(wanted)
        filled = tables.table_cells(request, self._evidence)
        rows = []
        for levels, keys in zip(filled.rows, filled.cells, strict=True):
            named = [markup.escape(str(level)) for level in levels] or [""]
            rows.append((*named, *(self._cell(key, wanted, chosen) for key in keys)))
        several = len(filled.metrics) > 1
        columns = [
            markup.escape(
                ", ".join([*([column[0]] if several or len(column) == 1 else []), *map(str, column[1:])])
            )
            for column in filled.columns
        ]
        header = (*map(markup.escape, filled.row_factors or ("",)), *columns)
        return tables.Table(request.label, caption, header, tuple(rows), max(1, len(filled.row_factors)))

    def _cell(self, key: Key | None, wanted: str, chosen: Format) -> str:
        if key is None:
            return "–"
        expression = f"pm({key.name})" if len(key.measurements) > 1 else key.name
        try:
            quantity = self._resolver.resolve(expression)
        except BindingError:
            return "not finite"
        number = self._number(expression, wanted, _printed(quantity, chosen, after_p=False), quantity)
        return f"[{markup.escape(number.text)}](#{number.id})"

    def _plot(self, request: tables.BlockRequest, caption: str) -> tables.Plot:
        curves, rests = tables.plot_curves(request, self._evidence)
        metric = request.attributes["metric"]
        expression = f"plot {request.label}: {metric} over {request.attributes.get('x', 'step')}"
        points = sum(len(curve.points) for curve in curves)
        number = BoundNumber(
            id=f"e{self._first + len(self._numbers)}",
            expression=expression,
            format="",
            text=f"{points} points",
            value=points,
            n=len(rests),
            level="reported",
            measurement_ids=(),
            places=tuple(dict.fromkeys((m.exec_id, m.line) for m in rests)),
        )
        self._numbers[expression, "", request.label] = number
        return tables.Plot(
            label=request.label,
            caption=caption,
            metric=metric,
            x=request.attributes.get("x", "step"),
            log=request.attributes.get("log", ""),
            curves=curves,
            id=number.id,
        )


def _printed(quantity: Quantity, wanted: Format, after_p: bool) -> str:
    if wanted.percent and percent_of_percent(quantity):
        raise BindingError("it is in percent already", "Use .1f and write the percent sign behind the token")
    if quantity.shape == "word":
        return str(quantity.value)
    if quantity.shape == "count" and not wanted.style:
        return str(quantity.value)
    if quantity.shape == "spread":
        return print_numbers(quantity.value, wanted, "{} ± {}")
    if quantity.shape == "interval":
        return print_numbers(quantity.value, wanted, "[{}, {}]")
    if quantity.shape == "probability":
        return _probability(quantity.value, wanted, after_p)
    if quantity.shape == "setting":
        return _setting(quantity.value, wanted)
    return print_numbers([quantity.value], wanted, "{}")


def _probability(value: float, wanted: Format, after_p: bool) -> str:
    chosen = wanted if wanted.style or wanted.precision else Format(".2", "g")
    if after_p:
        return print_numbers([value], chosen, "{}")
    return "p < 0.001" if value < 0.001 else "p = " + print_numbers([value], chosen, "{}")


def _setting(value: Any, wanted: Format) -> str:
    if isinstance(value, bool) or isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not (wanted.style or wanted.precision):
        return str(value)
    return print_numbers([value], wanted, "{}")


def _outside_links_and_code(block: markup.Block) -> list[int]:
    found: list[int] = []
    depth = 0
    for token in block.token.children or ():
        if token.type == "link_open":
            depth += 1
        elif token.type == "link_close":
            depth -= 1
        elif token.type == "text" and not depth:
            found += [index for index, _ in markup.marks(token.content)]
    return found


def _harmless(expression: str) -> str:
    return markup.escape(re.sub(r"[^\w .()+*/,-]", "", expression)[:80].strip()) or "?"


def _without_links(line: str) -> str:
    return re.sub(r"(?<!\\)([\[\]!])", r"\\\1", line)


def _underlined(lines: list[str]) -> bool:
    return bool(re.fullmatch(r"\s{0,3}(?:=+|-+)\s*", lines[-1]))


def _inside(place: int, ranges: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in ranges)


def _in_formula(text: str, place: int) -> bool:
    hidden, _ = markup.hide_formulas(text)
    return text[place : place + 2] not in hidden


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts
