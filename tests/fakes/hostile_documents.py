"""Papers by an author who wants to read files, run code, or use up time and memory: from a seed, for ever."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.agents.tools import SubmitPaper
from tests.fakes.hostile_fragments import FRAMES, LATEX, MARKDOWN, MATH, SIGNS, TOKENS, TYPST

_Pool = TypeVar("_Pool")

CANARY = "canary"
"""The stem of the names of files that no paper may read."""

TITLE, ABSTRACT, BODY = (
    next(m.max_length for m in SubmitPaper.model_fields[name].metadata if hasattr(m, "max_length"))
    for name in ("title", "abstract", "body")
)
"""Characters that each part may have."""


@dataclass(frozen=True)
class HostileDocument:
    """What a writer might hand in, and what else in a paper is not ours.

    Attributes:
        title: the title.
        abstract: the abstract.
        body: the body.
        name: what an experiment, a metric's level or a cited work might be called.
        reading: whether it names a file.
    """

    title: str
    abstract: str
    body: str
    name: str
    reading: bool


def hostile_documents(seed: int, count: int, secrets: str) -> list[HostileDocument]:
    """Documents from a seed; the same seed gives the same.

    Args:
        seed: the seed.
        count: how many.
        secrets: a folder of files that must not be read.
    """
    return [_document(random.Random(f"{seed}:{number}"), number, secrets) for number in range(count)]


def _document(generator: random.Random, number: int, secrets: str) -> HostileDocument:
    path = generator.choice(
        [
            f"{secrets}/{CANARY}.txt",
            f"{CANARY}.txt",
            f"/{CANARY}.txt",
            f"../{CANARY}.tex",
            f"{CANARY}",
            "/etc/passwd",
        ]
    )
    write = _Author(generator, path)
    body = write.body(number)
    reading = path in body
    return HostileDocument(
        write.fragment()[:TITLE] or "x",
        write.paragraphs(3)[:ABSTRACT] or "x",
        body[:BODY] or "x",
        write.fragment()[:300],
        reading,
    )


LONG: tuple[Callable[[random.Random], str], ...] = (
    lambda g: "w" * g.choice([300, 5_000, 60_000]),
    lambda g: "> " * g.choice([30, 400]) + "deep",
    lambda g: "\n".join("  " * depth + "- x" for depth in range(g.choice([20, 120]))),
    lambda g: "*a " * g.choice([200, 4_000]),
    lambda g: "**_" * g.choice([100, 2_000]) + "x" + "_**" * 100,
    lambda g: "[" * g.choice([500, 9_000]) + "x" + "](y)" * 200,
    lambda g: "`" * g.choice([50, 3_000]) + "x",
    lambda g: "$" * g.choice([51, 3_001]),
    lambda g: "$x" * g.choice([200, 5_000]),
    lambda g: "$$" + "{" * g.choice([20, 900]) + "x" + "}" * 900 + "$$",
    lambda g: "$" + "x^{" * g.choice([11, 300]) + "y" + "}" * g.choice([11, 300]) + "$",
    lambda g: "$" + "\\sqrt{" * 11 + "y" + "}" * 11 + "$",
    lambda g: (
        "\n".join(f"word[^n{n}]" for n in range(1000))
        + "\n\n"
        + "\n".join(f"[^n{n}]: note" for n in range(1000))
    ),
    lambda g: "| a | b |\n|---|---|\n" + "| *x* | `y` |\n" * g.choice([300, 6_000]),
    lambda g: (
        "|" + " a |" * g.choice([40, 700]) + "\n|" + "---|" * 700 + "\n" + ("|" + " x |" * 40 + "\n") * 30
    ),
    lambda g: "| a |\n|---|\n| " + "wide " * g.choice([500, 9_000]) + "|",
    lambda g: "\n\n".join("# heading" for _ in range(g.choice([50, 1_500]))),
    lambda g: "[x][y]" * 1_000 + "\n\n[y]: https://example.org/" + "z" * 3_000,
    lambda g: "{{ " * g.choice([100, 3_000]),
    lambda g: "::: table\n" * g.choice([50, 2_000]),
    lambda g: "<" * g.choice([500, 9_000]),
    lambda g: "<a " * g.choice([500, 5_000]),
    lambda g: "&amp;" * 5_000,
    lambda g: "\\" * g.choice([999, 20_000]),
    lambda g: "a\u0301" * g.choice([500, 20_000]),
    lambda g: "```python\n" + "x = [" * g.choice([100, 4_000]) + "\n```",
    lambda g: "\n\n".join(f"$$x_{{{n}}}$$ {{#eq-x}}\n\nSee @eq-x." for n in range(g.choice([20, 300]))),
    lambda g: "\n" * g.choice([1_000, 50_000]),
    lambda g: " " * g.choice([1_000, 50_000]) + "x",
    lambda g: "\u202e" + "שלום " * g.choice([200, 4_000]),
    lambda g: "- " * g.choice([100, 1_500]) + "x",
    lambda g: "\n".join(f"{n}. x" for n in range(g.choice([100, 3_000]))),
)
"""What is too long, too deep or too much."""


class _Author:
    def __init__(self, generator: random.Random, path: str) -> None:
        self._generator = generator
        self._path = path

    def body(self, number: int) -> str:
        """Paragraphs of every sort; each twentieth is one kind alone, at its largest."""
        if number % 20 == 19:
            return self._pick(LONG)(self._generator)
        if number % 20 == 9:
            return self.block_of_unicode(number // 20)
        return self.paragraphs(self._generator.randint(2, 25))

    def paragraphs(self, count: int) -> str:
        text = "\n\n".join(self.framed() for _ in range(count))
        return self._torn(text) if self._generator.random() < 0.25 else text

    def framed(self) -> str:
        fragment = self.fragment()
        for _ in range(self._generator.choice([0, 1, 1, 2, 3])):
            fragment = self._pick(FRAMES).replace("F", fragment)[:20_000]
        return fragment

    def fragment(self) -> str:
        kind = self._generator.random()
        if kind < 0.02:
            return self._pick(LONG)(self._generator)[:30_000]
        if kind < 0.1:
            return self.block_of_unicode(self._generator.randrange(0x1100))[: self._generator.randint(1, 60)]
        if kind < 0.22:
            return (
                "$"
                + "".join(self._pick(MATH) for _ in range(self._generator.randint(1, 12))).replace(
                    "P", self._path
                )
                + "$"
            )
        pool = self._pick((TYPST, TYPST, LATEX, LATEX, MARKDOWN, MARKDOWN, TOKENS, TOKENS, SIGNS))
        return self._pick(pool).replace("P", self._path)

    def block_of_unicode(self, number: int) -> str:
        """Characters of a part of Unicode, one after the other; the parts cover all of it."""
        start = (number * 0x110000 // 50 + self._generator.randrange(0x110000 // 50)) % 0x110000
        return " ".join("".join(chr((start + i + j) % 0x110000) for j in range(8)) for i in range(0, 800, 8))

    def _torn(self, text: str) -> str:
        """A text of which some characters are gone or stand elsewhere."""
        letters = list(text)
        for _ in range(self._generator.randint(1, 30)):
            if letters:
                place = self._generator.randrange(len(letters))
                letters[place] = self._generator.choice(
                    ["", "\n", "{", "}", "$", "`", "\\", letters[place] * 2]
                )
        return "".join(letters)

    def _pick(self, pool: Sequence[_Pool]) -> _Pool:
        return self._generator.choice(pool)
