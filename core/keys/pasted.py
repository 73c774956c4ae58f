"""What people paste as a key: cleaned, and recognised where it is a key of someone else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import InputError
from core.keys.names import ANTHROPIC, GOOGLE, KEY_NAMES, MODAL_ID, MODAL_SECRET
from core.keys.secret import Secret

LONGEST_CHARACTERS = 1024
"""No provider's key comes near; what is longer is some other text."""

ASSIGNMENT = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*[=:]\s*(?P<value>.*)", re.DOTALL)
PASTE_MARKS = re.compile(r"\x1b\[20[01]~")
INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\x00]+")
QUOTES = "\"'`“”‘’«»"

PLACEHOLDER = re.compile(
    r"your[-_ ].*|.*[-_]here|change[-_]?me|<.*>|\$\{?\w+\}?|x{4,}|\.{3,}|…+|todo|none|null"
    r"|placeholder|example|(?:insert|paste|replace|enter|add)[-_ ].*|.*x{8,}"
    r"|(?:sk-ant-|sk-|AIza|ak-|as-)[.…x*]*",
    re.IGNORECASE,
)
"""What examples and templates have in the place of a key; such a value counts as missing."""

SHAPES = (
    (re.compile(r"sk-ant-"), ANTHROPIC, "an Anthropic key"),
    (re.compile(r"AIza|AQ\."), GOOGLE, "a Google key"),
    (re.compile(r"ak-"), MODAL_ID, "the id of a Modal token"),
    (re.compile(r"as-"), MODAL_SECRET, "the secret of a Modal token"),
    (re.compile(r"sk-or-"), None, "an OpenRouter key"),
    (re.compile(r"sk-"), None, "an OpenAI key"),
    (re.compile(r"hf_"), None, "a Hugging Face token"),
    (re.compile(r"gh[pousr]_|github_pat_"), None, "a GitHub token"),
    (re.compile(r"gsk_"), None, "a Groq key"),
    (re.compile(r"xai-"), None, "an xAI key"),
    (re.compile(r"AKIA"), None, "an AWS key"),
)
"""How keys begin, whose they are and in words, as of 2026; the first that fits counts."""


def is_placeholder(value: str) -> bool:
    """Whether a value only says that a key belongs there; an empty one does, too."""
    value = value.strip().strip(QUOTES).strip()
    return not value or PLACEHOLDER.fullmatch(value) is not None


def pasted_key(name: str, text: str, *, any_shape: bool = False) -> Secret:
    """The key in what was pasted, without spaces, line breaks, quotes and ``NAME=`` around it.

    Args:
        name: the key that was asked for.
        text: what was pasted or typed.
        any_shape: whether the key of something else is taken, too: gateways have keys of their own.

    Raises:
        InputError: it is no key, or recognisably the key of something else. The message has no part of it.
    """
    again = f"Get one at {KEY_NAMES[name].url}, and paste it again."
    text = PASTE_MARKS.sub("", text).strip()
    assigned = ASSIGNMENT.fullmatch(text)
    if assigned is not None and assigned["name"].upper() in KEY_NAMES:
        if assigned["name"].upper() != name:
            raise InputError(f"that is {assigned['name'].upper()}, and this is for {name}", again)
        text = assigned["value"]
    value = INVISIBLE.sub("", text).strip(QUOTES)
    if value.lower().startswith("bearer") and len(value) > len("bearer"):
        value = value[len("bearer") :]
    if is_placeholder(value):
        raise InputError(f"that is a placeholder or nothing, not a value for {name}", again)
    if not value.isascii() or not value.isprintable() or len(value) > LONGEST_CHARACTERS:
        raise InputError(f"that is no key: {name} has letters, digits and signs only", again)
    if not any_shape and (found := foreign_shape(name, value)) is not None:
        raise InputError(f"that looks like {found}, and {name} is wanted", again)
    return Secret(value)


def foreign_shape(name: str, value: str) -> str | None:
    """What a value looks like where that is something else than the key of this name; None otherwise."""
    for shape, whose, words in SHAPES:
        if shape.match(value):
            return None if whose == name else words
    return None


def name_by_shape(names: Sequence[str], text: str) -> str | None:
    """Which of some keys a pasted text is, by its shape; None where none fits.

    Args:
        names: the keys that it could be.
        text: what was pasted or typed.
    """
    value = INVISIBLE.sub("", PASTE_MARKS.sub("", text)).strip(QUOTES)
    value = re.sub(r"^(?:export)?[A-Z_]+=[\"']?", "", value)
    whose = next((whose for shape, whose, _ in SHAPES if shape.match(value)), None)
    return whose if whose in names else None
