"""What a check of experiment code found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

WarningKind: TypeAlias = Literal[
    "constant as a result",
    "random number as a result",
    "result of a failure",
    "fitted on test data",
    "preprocessing before the split",
    "seed without effect",
    "one value for several arms",
]


@dataclass(frozen=True)
class CodeWarning:
    """Something in a script that deserves a look.

    Attributes:
        kind: what.
        line: the line of the script, from 1.
        text: one sentence for people, without its final stop.
    """

    kind: WarningKind
    line: int
    text: str
