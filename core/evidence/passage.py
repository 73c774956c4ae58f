"""One stretch of an author's Markdown: made inert, its tokens resolved, its prose checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.errors import BindingError
from core.evidence import markup, prose
from core.evidence.bound import BoundNumber, Problem, ProblemKind, Warned
from core.evidence.citing import CITATION, BoundCitation, cited, cited_by_hand
from core.evidence.evidence import Evidence
from core.evidence.formula import typed_in_formula
from core.evidence.measurement import Key
from core.evidence.named_works import NamedWork, identified_works, named_works, verified_among
from core.evidence.names import known_names, levels_not_named
from core.evidence.numbers import Numbers
from core.evidence.striking import REMOVED, drop_lines, strike_spans

RESERVED_HEADINGS = (
    "hypotheses and verdicts",
    "every attempt",
    "departures from the plan",
    "what looks wrong",
    "sentences to check",
    "every number",
    "references",
    "literature search",
    "compute and money",
    "versions",
)
"""Headings of sections that only code writes."""

_TOKEN = re.compile(r"\{\{((?:(?!\}\}|\n[ \t]*\n).){1,400}?)\}\}", re.DOTALL)
_FORMAT_TAIL = re.compile(r"(.*\S)\s*:\s*([^:()\"']*)", re.DOTALL)
_BEFORE_P = re.compile(r"\bp\s*=\s*$")
_LINK = re.compile(r"https?://[^\s]+|#(?:tab|fig|sec|eq)-[\w-]+")

_UNVERIFIED_LINK = "a link to a work that nobody verified"

_REFUSED = {
    "typed number": "a number typed by hand",
    "number word": "a quantity in words",
    "unsupported claim": "a claim without evidence in its sentence",
    "novelty": "nobody can know that something is new",
    "unverified work": "a work named by hand that nobody verified",
}


@dataclass
class Checks:
    """What is checked against, and what was found so far in a whole text.

    Attributes:
        evidence: what the text may rest on.
        numbers: gives rows of the appendix.
        striking: strike out what has no evidence instead of leaving it for repair.
        problems: found so far.
        warnings: found so far.
        citations: keys of the works that are cited so far, in the order of the text.
    """

    evidence: Evidence
    numbers: Numbers
    striking: bool
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    citations: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = known_names(self.evidence)
        self.metrics = frozenset(key.metric for key in self.evidence.ledger.keys.values())


class Passage:
    """Markdown between two blocks of the text, while it is worked on."""

    def __init__(self, text: str, line: int, checks: Checks) -> None:
        self._text = text
        self._line = line
        self._checks = checks
        self._formulas: list[str] = []
        self._marks: list[BoundNumber | BoundCitation | str] = []
        self._keys: list[tuple[Key, ...]] = []

    def bound(self) -> str:
        """The passage as Markdown with its numbers in place."""
        self._refuse_strikes()
        self._refuse_open_ends()
        self._make_inert()
        self._resolve_tokens()
        self._resolve_citations()
        self._text, self._formulas = markup.hide_formulas(self._text)
        self._refuse_open_formulas()
        self._refuse_definitions()
        self._refuse_links()
        self._refuse_list_starts()
        self._check()
        if self._checks.striking:
            self._remove_what_is_left()
        return self._shown()

    def _refuse_strikes(self) -> None:
        if "~~" in self._text:
            place = self._text.index("~~")
            self._problem("markup", place, "~~", "only code strikes text through", "Leave the sentence out")
            self._text = re.sub(r"~{2,}", "", self._text)

    def _refuse_open_ends(self) -> None:
        fenced = markup.fenced_ranges(self._text)

        def refused(match: re.Match[str]) -> str:
            if _inside(match.start(), fenced):
                return match[0]
            reason = "the block has no end or is no table or plot"
            alternative = 'Write ::: table #tab-x metric=… rows=… caption="…" and ::: on a line of its own'
            self._problem("markup", match.start(), match[0], reason, alternative)
            return "\\" + match[0].lstrip()

        self._text = re.sub(r"^ {0,3}:::.*$", refused, self._text, flags=re.MULTILINE)
        if markup.left_open(self._text):
            self._problem(
                "markup", 0, "```", "a code block is not closed", "Close it with ``` on its own line"
            )
            self._text = re.sub(r"`{3,}|~{3,}", "", self._text)

    def _refuse_open_formulas(self) -> None:
        if "$$" in self._text:
            place = self._text.index("$$")
            self._problem("markup", place, "$$", "a formula is not closed", "Close it with $$")
            self._text = self._text.replace("$$", r"\$\$")

    def _make_inert(self) -> None:
        safe, html = markup.inert(self._text)
        if html is not None:
            excerpt = self._text[html : html + 40].split("\n")[0]
            self._problem(
                "markup", html, excerpt, "raw HTML is not shown", "Use Markdown, and $a < b$ with spaces"
            )
        self._text = safe

    def _resolve_tokens(self) -> None:
        source, code = self._text, markup.code_ranges(self._text)

        def resolved(match: re.Match[str]) -> str:
            if _inside(match.start(), code):
                return match[0]
            return self._token(match[1], match.start(), source[: match.start()]) + "\n" * match[0].count("\n")

        replaced = _TOKEN.sub(resolved, source)
        without_formulas, _ = markup.hide_formulas(replaced)
        code = markup.code_ranges(without_formulas)
        for match in re.finditer(r"\{\{|\}\}", without_formulas):
            if not _inside(match.start(), code):
                reason, alternative = "the token has no end", "Write {{ key : .1% }} on one line"
                self._problem("unresolved", match.start(), match[0], reason, alternative)
        self._text = replaced

    def _token(self, body: str, place: int, before: str) -> str:
        expression, wanted = " ".join(body.split()), ""
        tail = _FORMAT_TAIL.fullmatch(expression)
        if tail:
            expression, wanted = tail[1].strip(), tail[2].strip()
        try:
            found = self._checks.numbers.resolve(
                expression, wanted, after_p=bool(_BEFORE_P.search(before[-20:]))
            )
        except BindingError as error:
            self._problem("unresolved", place, f"{{{{ {expression} }}}}", error.message, error.next_step)
            return self._mark("~~unresolved~~", ())
        return self._mark(found.number, found.keys)

    def _resolve_citations(self) -> None:
        code = markup.code_ranges(self._text)

        def resolved(match: re.Match[str]) -> str:
            if _inside(match.start(), code):
                return match[0]
            try:
                citation = cited(match, self._checks.evidence)
            except BindingError as error:
                self._problem("unresolved", match.start(), match[0], error.message, error.next_step)
                return "~~unresolved~~" + "\n" * match[0].count("\n")  # it supports no claim
            if citation is None:
                return match[0]
            return self._mark(citation, ()) + "\n" * match[0].count("\n")

        self._text = CITATION.sub(resolved, self._text)
        code = markup.code_ranges(self._text)
        by_hand = list(cited_by_hand(self._text, self._checks.evidence, self._checks.names))
        for start, end, citation in reversed(by_hand):
            if not _inside(start, code):
                lines = "\n" * self._text.count("\n", start, end)
                self._text = self._text[:start] + self._mark(citation, ()) + lines + self._text[end:]

    def _mark(self, shown: BoundNumber | BoundCitation | str, keys: tuple[Key, ...]) -> str:
        self._marks.append(shown)
        self._keys.append(keys)
        return markup.mark(len(self._marks) - 1)

    def _refuse_definitions(self) -> None:
        # What one of them hid may be one itself; each time at least one bracket is escaped.
        while defined := markup.definitions(self._text):
            lines = self._text.split("\n")
            for line in defined:
                reason = "the address of a link stands apart from it"
                alternative = "Write [words](https://…); begin a footnote with two words"
                self._problem_at(line, "markup", lines[line], reason, alternative)
                lines[line] = re.sub(r"(?<!\\)\[", r"\\[", lines[line], count=1)
            self._text = "\n".join(lines)

    def _refuse_links(self) -> None:
        lines = self._text.split("\n")
        for block in list(markup.blocks(self._text)):
            unread = [("a link must begin with https://", "Cite with [@key]")] if "](" in block.text else []
            for reason, alternative in [*self._forbidden(block), *unread]:
                if reason != _UNVERIFIED_LINK:  # its address is refused below, once it can be read
                    self._problem_at(block.first, "markup", block.text, reason, alternative)
                for number in range(block.first, min(block.last, len(lines))):
                    lines[number] = re.sub(r"(?<!\\)([\[\]!])", r"\\\1", lines[number])
        self._text = "\n".join(lines)

    def _refuse_list_starts(self) -> None:
        for first, last, start in reversed(markup.list_starts(self._text)):
            reason, alternative = "a list must begin at its first item", "Begin the list with 1., or use -"
            self._problem_at(first, "typed number", str(start), reason, alternative)
            if self._checks.striking:
                self._text = drop_lines(self._text, first, last)

    def _check(self) -> None:
        spans: list[tuple[int, int]] = []
        dropped: set[tuple[int, int]] = set()
        starts = _line_starts(self._text)
        for block in markup.blocks(self._text):
            if self._is_reserved_heading(block):
                reason = "code writes the section of that name"
                self._problem_at(block.first, "markup", block.text, reason, "Name the section otherwise")
                dropped.add((block.first, block.last))
            self._warn(block)
            self._refuse_literals(block)
            cursor, end = starts[block.first], starts[min(block.last, len(starts) - 1)]
            findings = self._findings(block)
            if findings and markup.claims_to_be_code(block.token):
                reason = "a line of the code block reads as a result and not as code"
                alternative = "Show code without numbers that it gave, or leave the block out"
                self._problem_at(block.first, "typed number", findings[0].text, reason, alternative)
                dropped.add((block.first, block.last))
                continue
            for found in findings:
                raw = block.text[found.start : found.end]
                place = self._text.find(raw, cursor, end)
                self._refuse(found, block.text, place if place >= 0 else cursor)
                if place >= 0 and block.token.type == "inline":
                    spans.append((place, place + len(raw)))
                    cursor = place + len(raw)
                else:
                    dropped.add((block.first, block.last))
        if self._checks.striking:
            self._text = strike_spans(self._text, spans)
            for first, last in sorted(dropped, reverse=True):
                self._text = drop_lines(self._text, first, last)

    def _findings(self, block: markup.Block) -> list[prose.Finding]:
        found = self._typed(block)
        for index, place in markup.formula_marks(block.text):
            typed = typed_in_formula(self._formulas[index]) if index < len(self._formulas) else ""
            if typed and self._checks.striking:
                self._formulas[index] = "unsupported formula"
            if typed:
                found.append(prose.Finding("typed number", place, place + markup.FORMULA_MARK_LENGTH, typed))
        return sorted(found, key=lambda f: f.start)

    def _typed(self, block: markup.Block) -> list[prose.Finding]:
        """What was typed by hand: numbers, claims and works that nobody verified."""
        works = named_works(block.text, self._checks.names, self._shown_as_text)
        unverified = [work for work in works if not self._is_verified(work)]
        found = [
            finding
            for finding in prose.findings(block.text, self._checks.names)
            if not any(_belongs_to(finding, work, said_by=unverified) for work in works)
        ]
        for work in unverified:
            text = block.text[work.start : work.end]
            found.append(prose.Finding("unverified work", work.start, work.end, text))
        return found

    def _is_verified(self, work: NamedWork) -> bool:
        return verified_among(work, self._checks.evidence.references.values()) is not None

    def _is_reserved_heading(self, block: markup.Block) -> bool:
        if not block.heading:
            return False
        heading = " ".join(re.sub(r"[^a-z0-9 ]+", " ", block.text.lower()).split())
        return heading in RESERVED_HEADINGS or bool(re.fullmatch(r"e ?\d+", heading))

    def _warn(self, block: markup.Block) -> None:
        if block.cell:
            return
        for index, place in markup.marks(block.text):
            sentence = prose.sentence_around(block.text, place)
            missing = levels_not_named(self._keys[index], sentence)
            shown = self._marks[index]
            if missing and isinstance(shown, BoundNumber):
                reason = f"{shown.expression}: the sentence does not name {' or '.join(missing)}"
                self._checks.warnings.append(
                    Warned(self._line + block.first, self._excerpt(sentence), reason)
                )

    def _refuse_literals(self, block: markup.Block) -> None:
        """A literal has no place in a sentence about something measured."""
        for index, place in markup.marks(block.text):
            shown = self._marks[index]
            if not isinstance(shown, BoundNumber) or shown.level != "literal":
                continue
            sentence = self._row(block) if block.cell else prose.sentence_around(block.text, place)
            measured = prose.measure_in(sentence, self._checks.metrics)
            if measured:
                reason = f"a literal stands in a {'row' if block.cell else 'sentence'} about {measured!r}"
                alternative = "Name a measurement there, or give the literal a sentence of its own"
                self._problem_at(block.first, "typed number", shown.expression, reason, alternative)
                self._marks[index] = "~~unresolved~~"

    def _row(self, block: markup.Block) -> str:
        """The row that a cell stands in, under the header of its table."""
        lines = self._text.split("\n")
        header = block.first
        while header and "|" in lines[header - 1]:
            header -= 1
        return f"{lines[header]}\n{lines[block.first]}"

    def _refuse(self, found: prose.Finding, text: str, place: int) -> None:
        near = self._keys_named_in(prose.sentence_around(text, found.start))
        tokens = " or ".join(f"{{{{ {name} }}}}" for name in near[:2])
        name_it = f"Name a measurement such as {tokens}" if near else "Name a measurement: {{ key }}"
        alternative = {
            "typed number": f'{name_it}, a setting: {{{{ cfg(name) }}}}, or {{{{ lit(2, "why") }}}}',
            "number word": f"{name_it}, or say it without a quantity",
            "unsupported claim": "Add {{ cmp(a, b) }}, {{ verdict(H1) }} or a citation, or weaken it",
            "novelty": 'Write "no match found" and where was searched, or leave it out',
            "unverified work": "Cite a verified work with [@key], or name the method and no work",
        }[found.kind]
        self._problem(found.kind, place, found.text, _REFUSED[found.kind], alternative)

    def _keys_named_in(self, sentence: str) -> list[str]:
        keys = self._checks.evidence.ledger.keys.values()
        return [k.name for k in keys if k.levels and not levels_not_named((k,), sentence)]

    def _remove_what_is_left(self) -> None:
        """Check what a reader will see; a block in which anything is left goes as a whole."""
        for _ in range(50):
            left = [b for b in markup.blocks(self._text) if self._findings(b) or self._forbidden(b)]
            if not left and not markup.definitions(self._text):
                return
            if not left:
                break
            self._text = drop_lines(self._text, left[-1].first, left[-1].last)
        self._text = REMOVED

    def _shown(self) -> str:
        linked = {i for block in markup.blocks(self._text) for i in markup.marks_to_link(block)}

        def number(index: int) -> str:
            shown = self._marks[index]
            if isinstance(shown, str):
                return shown
            if isinstance(shown, BoundCitation):
                self._checks.citations.update(dict.fromkeys(shown.keys))
                return shown.markdown if index in linked else markup.escape(shown.text)
            placed = self._checks.numbers.place(shown)
            escaped = markup.escape(placed.text)
            return f"[{escaped}](#{placed.id})" if index in linked else escaped

        def in_formula(index: int) -> str:
            shown = self._marks[index]
            if not isinstance(shown, BoundNumber):
                return r"\text{?}"
            return markup.as_formula(self._checks.numbers.place(shown).text)

        formulas = [markup.replace_marks(formula, in_formula) for formula in self._formulas]
        text = markup.show_formulas(markup.replace_marks(self._text, number), formulas)
        # What was struck may have opened a code span that held a tag.
        return markup.inert(text)[0]

    def _problem(self, kind: ProblemKind, place: int, excerpt: str, reason: str, alternative: str) -> None:
        self._problem_at(self._text.count("\n", 0, place), kind, excerpt, reason, alternative)

    def _problem_at(self, line: int, kind: ProblemKind, excerpt: str, reason: str, alternative: str) -> None:
        problem = Problem(kind, self._line + line, self._excerpt(excerpt), reason, alternative)
        self._checks.problems.append(problem)

    def _shown_as_text(self, index: int) -> str:
        found = self._marks[index] if index < len(self._marks) else "?"
        return found if isinstance(found, str) else found.text

    def _forbidden(self, block: markup.Block) -> list[tuple[str, str]]:
        """Links and images that only code may write, with what to write instead."""
        found: list[tuple[str, str]] = []
        for token in block.token.children or ():
            href = str(token.attrGet("href") or "") if token.type == "link_open" else ""
            if token.type == "image":
                found.append(("an image is not from the evidence", "Use ::: plot"))
            elif href.startswith("#") and not _LINK.fullmatch(href):
                found.append(("only code links to the evidence", "Write the token; its link is made for you"))
            elif href and not _LINK.fullmatch(href):
                found.append(("a link must begin with https://", "Cite with [@key]"))
            elif not all(map(self._is_verified, identified_works(href))):
                found.append((_UNVERIFIED_LINK, "Cite a verified work with [@key]"))
        return found

    def _excerpt(self, text: str) -> str:
        plain = markup.replace_marks(text, self._shown_as_text)
        return " ".join(markup.show_formulas(plain, self._formulas).split())[:120]


def _belongs_to(found: prose.Finding, work: NamedWork, *, said_by: list[NamedWork]) -> bool:
    """Whether a number is part of how a work is named: all of them where the work is refused anyway."""
    if found.kind != "typed number" or not work.start <= found.start < work.end:
        return False
    return work in said_by or (bool(work.year) and not re.sub(rf"{work.year}|\D", "", found.text))


def _inside(place: int, ranges: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in ranges)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts
