"""Numbers typed inside formulas: indices and exponents are names, anything else is a number."""

from __future__ import annotations

import re

from core.evidence.prose import CLOSE, OPEN, findings

_TEXT = re.compile(r"\\(?:text|mathrm|textrm|textbf|mbox|operatorname\*?)\s*\{([^{}]*)\}")
_INDEX = re.compile(
    r"(?<=[A-Za-z)}\]|])\s*[_^]\s*(?:[0-9](?![0-9]|[.,][0-9])|\{(?:[^{}.,%]|\{[^{}.,%]*\}){1,24}\})"
)
_LONG_NUMBER = re.compile(r"\d{3,}|\d[.,]\d")
_SMALL = re.compile(r"(?<![\d.,])[012](?![\d.,%])")
_RELATION = r"(?:=|<|>|\\(?:approx|sim|le|leq|ge|geq|equiv|ne|neq|simeq|cong|ll|gg)\b)"
_WHOLE_SIDE = re.compile(
    rf"{_RELATION}\s*[-+−]?\s*[012]\s*(?:$|[,;.)\]}}&]|\\\\|\\[,;:!%]|\\(?:quad|qquad|text|mathrm)|{_RELATION})(?!\s*\\[lc]?dots)"
)
_COMMAND = re.compile(r"\\[A-Za-z]+\*?")


def typed_in_formula(formula: str) -> str:
    """What a formula's author typed that only a measurement may say; empty where nothing.

    Digits may stand in subscripts and exponents, and 0, 1 and 2 in algebra beside a letter, but
    not alone on one side of a relation.

    Args:
        formula: with or without its dollar signs; bound numbers are marks.
    """
    body = formula.strip("$")
    for found in findings(" ".join(_TEXT.findall(body))):
        if found.kind != "unsupported claim":
            return found.text
    body = _TEXT.sub(" ", body)
    indices = "".join(match[0] for match in _INDEX.finditer(body))
    if match := _LONG_NUMBER.search(indices):
        return match[0]
    rest = _INDEX.sub(" ", body)
    if match := _WHOLE_SIDE.search(rest):
        return match[0].strip()
    letters = _COMMAND.sub(" ", re.sub(f"{OPEN}.{CLOSE}", " ", rest))
    if re.search(r"[A-Za-z]", letters) or re.search(
        r"\\(?:sigma|mu|theta|lambda|alpha|beta|pi|epsilon|phi)\b", rest
    ):
        rest = _SMALL.sub(" ", rest)
    for found in findings(_COMMAND.sub(" ", rest).replace("{", " ").replace("}", " ")):
        if found.kind != "unsupported claim":
            return found.text
    match = re.search(r"\d", rest)
    return match[0] if match else ""
