"""The tree of a formula.

Both the PDF and the LaTeX file are written from the tree, so that nothing of an author's own
commands reaches either of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Symbol:
    """One character.

    Attributes:
        text: the character, or a number's digits.
        command: the LaTeX command for it; empty where the character stands for itself.
    """

    text: str
    command: str = ""


@dataclass(frozen=True)
class Words:
    """Words inside a formula."""

    text: str


@dataclass(frozen=True)
class Operator:
    """A function's name, upright."""

    name: str
    limits: bool


@dataclass(frozen=True)
class Space:
    """A space, in em."""

    em: float


@dataclass(frozen=True)
class Row:
    """Parts side by side."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Fraction:
    """A fraction; ``line`` is False for a binomial."""

    top: Node
    bottom: Node
    line: bool = True


@dataclass(frozen=True)
class Root:
    """A root; ``degree`` is None for a square root."""

    inside: Node
    degree: Node | None


@dataclass(frozen=True)
class Scripts:
    """A part with what is below and above it."""

    base: Node
    below: Node | None
    above: Node | None


@dataclass(frozen=True)
class Decorated:
    """A part under an accent or line, or in another alphabet; ``command`` says which."""

    command: str
    inside: Node


@dataclass(frozen=True)
class Fenced:
    """A part between fences that grow with it; a fence may be empty."""

    left: str
    right: str
    inside: Node


@dataclass(frozen=True)
class Grid:
    """Rows of cells; ``kind`` is an environment's name."""

    kind: str
    rows: tuple[tuple[Node, ...], ...]


Node: TypeAlias = (
    Symbol | Words | Operator | Space | Row | Fraction | Root | Scripts | Decorated | Fenced | Grid
)
