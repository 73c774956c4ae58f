"""Numbers typed inside formulas: indices and exponents are names, anything else is a number."""

from __future__ import annotations

import re

from core.evidence.prose import CLOSE, OPEN, findings

_TEXT = re.compile(r"\\(?:text|mathrm|textrm|textbf|mbox|operatorname\*?)\s*\{([^{}]*)\}")
_INDEX = re.compile(
    r"(?<=[A-Za-z)}\]|])\s*[_^]\s*(?:[0-9](?![0-9]|[.,][0-9])|\{(?:[^{}.,%]|\{[^{}.,%]*\}){1,24}\})"
)
_LONG_NUMBER = re.compile(r"\d{3,}|\d[.,]\d")
_AROUND_INDEX = re.compile(r"[\s_^{}()~]|\\[A-Za-z,;:! ]+")
LARGEST_INDEX = 10
"""A subscript or an exponent without a letter; a larger one would say more than which one is meant."""

_SMALL = re.compile(r"(?<![A-Za-z\d.,])(?<![A-Za-z] )[012](?![\d.,])")
_RELATION = r"(?:=|<|>|\\(?:approx|sim|le|leq|ge|geq|equiv|ne|neq|simeq|cong|ll|gg)\b)"
_WHOLE_SIDE = re.compile(
    rf"{_RELATION}\s*[-+−]?\s*[012]\s*(?:$|[,;.)\]}}&]|\\\\|\\[,;:!%]|\\(?:quad|qquad|text|mathrm)|{_RELATION})(?!\s*\\[lc]?dots)"
)
_SIDE_END = re.compile(rf"{_RELATION}|[,;&]|\\\\|\\(?:quad|qquad)\b")
_LEFT_OF_RANGE = re.compile(r"\s*[012]\s*(?:<|\\(?:le|leq)\b)")
_STANDS_FOR_A_NUMBER = re.compile(
    r"\\(?:[Aa]lpha|[Bb]eta|[Gg]amma|[Dd]elta|(?:var)?epsilon|zeta|eta|(?:var)?[Tt]heta|iota|kappa|[Ll]ambda"
    r"|mu|nu|[Xx]i|[Pp]i|(?:var)?rho|[Ss]igma|tau|[Uu]psilon|(?:var)?[Pp]hi|chi|[Pp]si|[Oo]mega|ell|infty)\b"
)

_NO_FORMULA = re.compile(
    r"\]\(|\]\[|\]:|[`#@\"]|~~|::|\{\{"  # links, code, headings, citations, strikes, blocks, tokens
    r"|\n\s*(?:[-+*>]|\d+[.)])\s|\|\s*-"  # lists, quotes, tables
)
"""Markdown between dollar signs: then it is no formula everywhere."""

_GREEK = re.compile(r"\\(?:alpha|beta|gamma|epsilon|theta|lambda|mu|pi|sigma|phi)\b")
_COMMAND = re.compile(r"\\[A-Za-z]+\*?")


def typed_in_formula(formula: str) -> str:
    """What a formula's author typed that only a measurement may say; empty where nothing.

    Digits may stand in subscripts and exponents, and 0, 1 and 2 in algebra beside a letter, but
    not alone on one side of a relation.

    Args:
        formula: with or without its dollar signs; bound numbers are marks.
    """
    body = formula.strip("$")
    if match := _NO_FORMULA.search(body):
        return match[0]
    for found in findings(" ".join(_TEXT.findall(body))):
        if found.kind != "unsupported claim":
            return found.text
    body = _TEXT.sub(" ", body)
    if "%" in re.sub(f"{OPEN}.{CLOSE}\\s*\\\\?%", "", body):
        return "%"
    indices = [match[0] for match in _INDEX.finditer(body)]
    if match := _LONG_NUMBER.search("".join(indices)):
        return match[0]
    for index in indices:
        whole = _AROUND_INDEX.sub("", index)
        if whole.isdecimal() and int(whole) > LARGEST_INDEX:
            return index.strip()
    rest = _INDEX.sub(" ", body)
    if match := _WHOLE_SIDE.search(rest):
        return match[0].strip()
    if side := _number_alone(rest):
        return side
    variable = bool(_GREEK.search(rest))
    rest = _COMMAND.sub(" ∘ ", re.sub(f"{OPEN}.{CLOSE}", " ∘ ", rest))
    rest = " ".join(re.sub(r"[{}]", " ∘ ", rest).split())
    if variable or re.search(r"[A-Za-z]", rest):
        rest = _SMALL.sub(" ", rest)
    for found in findings(rest):
        if found.kind != "unsupported claim":
            return found.text
    match = re.search(r"\d", rest)
    return match[0] if match else ""


def _number_alone(formula: str) -> str:
    """A side of a relation that is made of nothing but numbers, such as a fraction; empty where none is."""
    relations = list(re.finditer(_RELATION, formula))
    if not relations:
        return ""
    sides = [] if _LEFT_OF_RANGE.match(formula) else [formula[: relations[0].start()]]
    for relation in relations:
        rest = formula[relation.end() :]
        end = _SIDE_END.search(rest)
        sides.append(rest[: end.start()] if end else rest)
    for side in sides:
        plain = _COMMAND.sub(" ", _STANDS_FOR_A_NUMBER.sub("x", side).replace(OPEN, "x"))
        if re.search(r"\d", plain) and not re.search(r"[^\W\d_]", plain):
            return side.strip()
    return ""
