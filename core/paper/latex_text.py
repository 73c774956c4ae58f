"""Text, formulas and addresses as LaTeX in which nothing is left that LaTeX would execute."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from core.paper import formula as math
from core.paper import symbols
from core.paper.glyphs import code_points

_PLAIN: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\^{}", "~": r"\textasciitilde{}", "<": "$<$", ">": "$>$", "|": "$|$",
    '"': "''", "`": "`{}", "'": "'", "-": "-",
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
_IN_CODE: Final = {sign: rf"\char{ord(sign)}{{}}" for sign in '\\{}_^~<>|"$'} | {
    "-": "-{}"
}  # the typewriter font has these where ASCII has them
_SYMBOLS: Final = {
    text: name
    for table in (symbols.LARGE, symbols.SYMBOLS)
    for name, text in reversed(table.items())
    if not text.isascii()
}
_LIKE_LATIN: Final = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True))
_GREEK_ACCENTS: Final = {"\u0301": "acute", "\u0300": "grave", "\u0308": "ddot"}
_OWN_COMMANDS: Final = {"degree": r"{}^{\circ}", "mathscr": r"\mathcal", "bm": r"\boldsymbol"}
_MATH_SIGNS: Final = {"~": r"\sim ", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\Vert"}
_FENCES: Final = {
    "": ".", "{": r"\{", "}": r"\}", "‖": r"\Vert", "⟨": r"\langle", "⟩": r"\rangle", "⌈": r"\lceil",
    "⌉": r"\rceil", "⌊": r"\lfloor", "⌋": r"\rfloor", "↑": r"\uparrow", "↓": r"\downarrow",
}  # fmt: skip
_ENVIRONMENTS: Final = {"array": "matrix", "align": "aligned", "align*": "aligned", "split": "aligned"}


def text(words: str) -> str:
    """Plain text; what LaTeX's own fonts lack is shown by its code points."""
    return _written(re.sub("-(?=-)", "-\u200b", words), {})


def code(words: str, *, alone: bool = False) -> str:
    """Code, as it is; ``alone`` without the command that sets it."""
    written = _written(words, _IN_CODE).replace("  ", "~~")
    return written if alone else rf"\texttt{{{written}}}"


def name(words: str) -> str:
    """A name of a label or a work, which must not hold more than LaTeX takes as a name."""
    return re.sub(r"[^A-Za-z0-9:-]", lambda match: f".{ord(match[0]):x}.", words)


def _written(words: str, special: Mapping[str, str]) -> str:
    written: list[str] = []
    unknown = ""
    for character in words:
        known = special.get(character) or _character(character)
        if known is None:
            unknown += character
            continue
        if unknown:
            written.append(_unknown(unknown))
            unknown = ""
        written.append(known)
    return "".join(written) + (_unknown(unknown) if unknown else "")


def _unknown(characters: str) -> str:
    return rf"\texttt{{{code_points(characters)}}}" if code_points(characters) else ""


def _character(character: str) -> str | None:
    """A character; None where LaTeX's own fonts do not have it."""
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isascii():
        return character if character.isprintable() else ""
    if character in _SYMBOLS:
        return f"${_command(_SYMBOLS[character])}$"
    if character in _LIKE_LATIN:
        return _LIKE_LATIN[character]
    decomposed = unicodedata.normalize("NFD", character)
    if decomposed[0].isascii() and all(accent in _ACCENTS for accent in decomposed[1:]):
        written = decomposed[0]
        for accent in decomposed[1:]:
            written = f"\\{_ACCENTS[accent]}{{{written}}}"
        return written
    if len(decomposed) == 2 and decomposed[0] in _SYMBOLS and decomposed[1] in _GREEK_ACCENTS:
        return rf"$\{_GREEK_ACCENTS[decomposed[1]]}{{{_command(_SYMBOLS[decomposed[0]])}}}$"
    compatible = unicodedata.normalize("NFKC", character)
    if compatible.isascii() and compatible.isprintable():
        return "".join(_PLAIN.get(c, c) for c in compatible)
    return None


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
