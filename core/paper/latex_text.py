"""Text, formulas and addresses as LaTeX in which nothing is left that LaTeX would execute."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from core.paper import formula as math
from core.paper import symbols

_PLAIN: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\^{}", "~": r"\textasciitilde{}", "<": "$<$", ">": "$>$", "|": "$|$",
    '"': "''", "`": r"\textasciigrave{}", "'": "'", "-": "-",
    "\u200b": r"\allowbreak{}", "\u00a0": "~", "\t": " ", "\n": " ",
    "–": "--", "—": "---", "“": "``", "”": "''", "‘": "`{}", "’": "'", "…": r"\ldots{}", "−": "$-$",
    "·": r"$\cdot$", "µ": r"$\mu$", "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}", "•": r"$\bullet$",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "å": r"\aa{}", "Å": r"\AA{}", "ı": r"\i{}", "¿": "?`{}", "¡": "!`{}",
}  # fmt: skip
_ACCENTS: Final = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=",
    "\u0306": "u", "\u0307": ".", "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0323": "d",
}  # fmt: skip
_SYMBOLS: Final = {
    text: name
    for table in (symbols.LARGE, symbols.SYMBOLS)
    for name, text in reversed(table.items())
    if not text.isascii()
}
_OWN_COMMANDS: Final = {"degree": r"{}^{\circ}", "mathscr": r"\mathcal", "bm": r"\boldsymbol"}
_MATH_SIGNS: Final = {"~": r"\sim ", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\Vert"}
_FENCES: Final = {
    "": ".", "{": r"\{", "}": r"\}", "‖": r"\Vert", "⟨": r"\langle", "⟩": r"\rangle", "⌈": r"\lceil",
    "⌉": r"\rceil", "⌊": r"\lfloor", "⌋": r"\rfloor", "↑": r"\uparrow", "↓": r"\downarrow",
}  # fmt: skip
_ENVIRONMENTS: Final = {"array": "matrix", "align": "aligned", "align*": "aligned", "split": "aligned"}


def text(words: str) -> str:
    """Plain text; a character that LaTeX's own fonts lack is shown by its code point."""
    return "".join(map(_character, re.sub("-(?=-)", "-\u200b", words)))


def _character(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isascii():
        return character if character.isprintable() else ""
    if character in _SYMBOLS:
        return f"${_command(_SYMBOLS[character])}$"
    decomposed = unicodedata.normalize("NFD", character)
    if len(decomposed) == 2 and decomposed[0].isascii() and decomposed[1] in _ACCENTS:
        return f"\\{_ACCENTS[decomposed[1]]}{{{decomposed[0]}}}"
    compatible = unicodedata.normalize("NFKC", character)
    if compatible.isascii() and compatible.isprintable():
        return "".join(_PLAIN.get(c, c) for c in compatible)
    return rf"\texttt{{[U+{ord(character):04X}]}}"


def code(words: str) -> str:
    """Code, as it is."""
    return rf"\texttt{{{text(words).replace('  ', '~~')}}}"


def address(url: str) -> str:
    r"""An address for ``\href``; what has a meaning in LaTeX is percent-encoded."""
    safe = quote(url, safe=":/?=&.,+-@;()!*'%#[]$")
    safe = re.sub(r"[$~_]", lambda match: f"%{ord(match[0]):02X}", safe)
    return safe.replace("%", r"\%").replace("#", r"\#").replace("&", r"\&")


def formula(node: math.Node) -> str:
    """A formula, without its dollar signs."""
    return _WRITERS[type(node)](node)


def _command(name: str) -> str:
    return _OWN_COMMANDS.get(name, f"\\{name}")


def _symbol(node: math.Symbol) -> str:
    if node.command:
        return f"{_command(node.command)} "
    return _MATH_SIGNS.get(node.text, node.text)


def _operator(node: math.Operator) -> str:
    if node.name in symbols.FUNCTIONS:
        return f"\\{node.name} "
    star = "*" if node.limits else ""
    return rf"\operatorname{star}{{{_words(node.name)}}}"


def _words(words: str) -> str:
    return rf"\text{{{text(words)}}}"


def _scripts(node: math.Scripts) -> str:
    base = formula(node.base)
    single = isinstance(node.base, math.Symbol | math.Operator)
    below = f"_{{{formula(node.below)}}}" if node.below is not None else ""
    above = f"^{{{formula(node.above)}}}" if node.above is not None else ""
    return f"{base if single else f'{{{base}}}'}{below}{above}"


def _fraction(node: math.Fraction) -> str:
    top, bottom = formula(node.top), formula(node.bottom)
    return (
        rf"\frac{{{top}}}{{{bottom}}}" if node.line else rf"\genfrac{{}}{{}}{{0pt}}{{}}{{{top}}}{{{bottom}}}"
    )


def _root(node: math.Root) -> str:
    degree = f"[{{{formula(node.degree)}}}]" if node.degree is not None else ""
    return rf"\sqrt{degree}{{{formula(node.inside)}}}"


def _decorated(node: math.Decorated) -> str:
    digit = isinstance(node.inside, math.Symbol) and node.inside.text.isdigit()
    command = r"\mathbf" if node.command == "mathbb" and digit else _command(node.command)
    return f"{command}{{{formula(node.inside)}}}"


def _fenced(node: math.Fenced) -> str:
    left, right = (_FENCES.get(fence, fence) for fence in (node.left, node.right))
    return rf"\left{left} {formula(node.inside)} \right{right} "


def _grid(node: math.Grid) -> str:
    kind = _ENVIRONMENTS.get(node.kind, node.kind)
    rows = [list(map(formula, row)) for row in node.rows]
    if kind in ("cases", "gathered"):
        most = 2 if kind == "cases" else 1
        rows = [[*row[: most - 1], r"\quad ".join(row[most - 1 :])] for row in rows]
    # A bracket after a line break would be read as a length.
    body = r" \\ ".join(" & ".join(f"{{}}{cell}" for cell in row) for row in rows)
    return rf"\begin{{{kind}}} {body} \end{{{kind}}}"


_WRITERS: dict[type, Callable[[Any], str]] = {
    math.Symbol: _symbol,
    math.Words: lambda node: _words(node.text),
    math.Operator: _operator,
    math.Space: lambda node: rf"\hspace{{{node.em}em}}",
    math.Row: lambda node: "".join(map(formula, node.parts)),
    math.Fraction: _fraction,
    math.Root: _root,
    math.Scripts: _scripts,
    math.Decorated: _decorated,
    math.Fenced: _fenced,
    math.Grid: _grid,
}
