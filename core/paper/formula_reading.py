"""Reads LaTeX formulas into a small tree; what is not understood is not guessed at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.paper import symbols
from core.paper.formula import (
    Decorated,
    Fenced,
    Fraction,
    Grid,
    Node,
    Operator,
    Root,
    Row,
    Scripts,
    Space,
    Symbol,
    Words,
)

LONGEST = 2_000
"""Characters of a formula; a longer one does not fit a page."""

DEEPEST = 12
"""Parts inside parts."""

_TOKEN = re.compile(r"\\([A-Za-z]+\*?|[^A-Za-z])|([A-Za-z])|(\d+(?:[.,]\d+)*)|(\s+)|(.)", re.DOTALL)


class NotUnderstood(ValueError):
    """A formula holds something that is not in the list of what is understood."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def read_formula(source: str) -> Node | None:
    """A formula as a tree.

    Args:
        source: LaTeX without its dollar signs.

    Returns:
        None where something in it is not understood; show the source then.
    """
    if len(source) > LONGEST:
        return None
    try:
        parser = _Parser(list(_tokens(source)))
        node = parser.row(until=(), depth=0)
        parser.end()
    except NotUnderstood:
        return None
    return node


def _tokens(source: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(source):
        command, letter, number, space, other = match.groups()
        if command is not None:
            yield _Token("command", command if command.strip() else " ")
        elif letter or number:
            yield _Token("letter" if letter else "number", letter or number)
        elif space:
            yield _Token("space", " ")
        else:
            yield _Token("sign", other)


class _Parser:
    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def end(self) -> None:
        if self._peek() is not None:
            raise NotUnderstood("something is left over")

    def row(self, until: tuple[tuple[str, str], ...], depth: int) -> Node:
        """Parts up to one of the tokens in ``until``, which is left in place."""
        if depth > DEEPEST:
            raise NotUnderstood("too deep")
        parts: list[Node] = []
        while (token := self._peek()) is not None and (token.kind, token.text) not in until:
            if token.kind == "space":
                self._place += 1
                continue
            if token.kind == "sign" and token.text in "^_'":
                parts.append(self._scripts(parts.pop() if parts else Row(()), depth))
                continue
            part = self._part(depth)
            if part is not None:
                parts.append(part)
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def _peek(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _next(self) -> _Token:
        token = self._peek()
        if token is None:
            raise NotUnderstood("it ends too early")
        self._place += 1
        return token

    def _skip_spaces(self) -> None:
        while (token := self._peek()) is not None and token.kind == "space":
            self._place += 1

    def _expect(self, kind: str, text: str) -> None:
        self._skip_spaces()
        if self._next() != _Token(kind, text):
            raise NotUnderstood(f"{text} is missing")

    def _part(self, depth: int) -> Node | None:
        token = self._next()
        if token.kind == "command":
            return self._command(token.text, depth)
        if token.kind in ("letter", "number"):
            return Symbol(token.text)
        if token.text == "{":
            inside = self.row((("sign", "}"),), depth + 1)
            self._expect("sign", "}")
            return inside
        if token.text == "~":
            return Space(symbols.SPACES[" "])
        if token.text in symbols.SIGNS:
            return Symbol(token.text)
        known = _COMMAND_OF.get(token.text)
        if known is None:
            raise NotUnderstood(f"the sign {token.text!r}")
        return Symbol(token.text, known)

    def _argument(self, depth: int) -> Node:
        """What a command is about: a group, or the next part."""
        self._skip_spaces()
        if depth > DEEPEST:
            raise NotUnderstood("too deep")
        token = self._peek()
        if token is None or token.text in ("}", "^", "_", "&"):
            raise NotUnderstood("an argument is missing")
        if token.kind == "number" and len(token.text) > 1:
            raise NotUnderstood("an argument of several digits without braces")
        part = self._part(depth + 1)
        return Row(()) if part is None else part

    def _scripts(self, base: Node, depth: int) -> Node:
        below: Node | None = None
        above: Node | None = None
        while (token := self._peek()) is not None:
            if token == _Token("sign", "'"):
                self._place += 1
                above = Row((*([above] if above else []), Symbol("′", "prime")))
            elif token == _Token("sign", "_") and below is None:
                self._place += 1
                below = self._argument(depth)
            elif token == _Token("sign", "^") and not (above and not _primes(above)):
                self._place += 1
                raised = self._argument(depth)
                above = Row((above, raised)) if above else raised
            elif token.kind == "space" or (token.kind == "command" and token.text in _LIMITS):
                self._place += 1
            else:
                break
        if below is None and above is None:
            raise NotUnderstood("two scripts at one place")
        if (after := self._peek()) is not None and after.kind == "sign" and after.text in "^_":
            raise NotUnderstood("two scripts at one place")
        return Scripts(base, below, above)

    def _command(self, name: str, depth: int) -> Node | None:
        if name in symbols.SYMBOLS:
            return Symbol(symbols.SYMBOLS[name], name)
        if name in symbols.LARGE:
            return Symbol(symbols.LARGE[name], name)
        if name in symbols.FUNCTIONS:
            return Operator(name, name in symbols.WITH_LIMITS)
        if name in symbols.SPACES:
            return Space(symbols.SPACES[name])
        if name in symbols.ESCAPED:
            return Symbol("‖", "Vert") if name == "|" else Symbol(name, name)
        if name in symbols.ACCENTS or name in symbols.LINES or name in symbols.STYLES:
            return Decorated(name, self._argument(depth))
        if name in symbols.TEXTS:
            return Words(self._words())
        if name in symbols.IGNORED:
            return None
        return self._structure(name, depth)

    def _structure(self, name: str, depth: int) -> Node:
        if name in ("frac", "dfrac", "tfrac", "binom"):
            top = self._argument(depth)
            fraction = Fraction(top, self._argument(depth), line=name != "binom")
            return fraction if name != "binom" else Fenced("(", ")", fraction)
        if name == "sqrt":
            self._skip_spaces()
            degree = None
            if self._peek() == _Token("sign", "["):
                self._place += 1
                degree = self.row((("sign", "]"),), depth + 1)
                self._expect("sign", "]")
            return Root(self._argument(depth), degree)
        if name in ("operatorname", "operatorname*"):
            return Operator(self._words(), limits=name.endswith("*"))
        if name == "left":
            return self._fenced(depth)
        if name == "begin":
            return self._grid(depth)
        raise NotUnderstood(f"the command {name}")

    def _words(self) -> str:
        """Plain words between braces."""
        self._expect("sign", "{")
        words: list[str] = []
        while (token := self._next()) != _Token("sign", "}"):
            if token.kind == "command" and token.text in symbols.SPACES:
                words.append(" ")
            elif token.kind == "command" and token.text in symbols.ESCAPED:
                words.append(token.text)
            elif token.kind == "command" or token.text in "{\\^$&#%":
                raise NotUnderstood("a command inside words")
            else:
                words.append(token.text)
        return "".join(words)

    def _fence(self) -> str:
        self._skip_spaces()
        token = self._next()
        text = symbols.SYMBOLS.get(token.text, token.text) if token.kind == "command" else token.text
        text = "‖" if token == _Token("command", "|") else text
        if text not in symbols.FENCES:
            raise NotUnderstood("no fence")
        return {".": "", "<": "⟨", ">": "⟩"}.get(text, text)

    def _fenced(self, depth: int) -> Node:
        left = self._fence()
        inside = self.row((("command", "right"),), depth + 1)
        self._expect("command", "right")
        return Fenced(left, self._fence(), inside)

    def _grid(self, depth: int) -> Node:
        kind = self._words()
        if kind not in symbols.MATRICES:
            raise NotUnderstood(f"the environment {kind}")
        if kind == "array":
            self._words()
        rows: list[tuple[Node, ...]] = []
        cells: list[Node] = []
        stops = (("sign", "&"), ("command", "\\"), ("command", "end"))
        while True:
            cells.append(self.row(stops, depth + 1))
            token = self._next()
            if token == _Token("sign", "&"):
                continue
            rows.append(tuple(cells))
            cells = []
            if token == _Token("command", "end"):
                break
        if self._words() != kind:
            raise NotUnderstood("the environment has no end")
        if len(rows) > 1 and rows[-1] == (Row(()),):
            rows.pop()  # after a last line break nothing follows
        return Grid(kind, tuple(rows))


def _primes(node: Node) -> bool:
    return isinstance(node, Row) and all(part == Symbol("′", "prime") for part in node.parts)


_LIMITS = ("limits", "nolimits")

_COMMAND_OF = {
    text: name
    for table in (symbols.LARGE, symbols.SYMBOLS)
    for name, text in reversed(table.items())
    if not text.isascii()
}
"""Commands by the character that they stand for, so that formulas may hold the characters as well."""
