"""What people paste as a key: cleaned, recognised, or refused in words."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.keys.names import ANTHROPIC, GOOGLE, KEY_NAMES, MODAL_ID, MODAL_SECRET, OPENALEX
from core.keys.pasted import is_placeholder, name_by_shape, pasted_key

CLAUDE = "sk-ant-api03-AbCdEf0123456789-_xyz4"
GEMINI = "AIzaSyA0123456789abcdefghijklmnopqrstuv"


@pytest.mark.parametrize(
    "pasted",
    [
        CLAUDE,
        f"  {CLAUDE}  ",
        f"{CLAUDE}\n",
        f"{CLAUDE}\r\n",
        f"{CLAUDE[:12]}\n{CLAUDE[12:]}\n",
        f"{CLAUDE[:12]} \n  {CLAUDE[12:]}",
        f'"{CLAUDE}"',
        f"'{CLAUDE}'",
        f"“{CLAUDE}”",
        f"`{CLAUDE}`",
        f'" {CLAUDE} "',
        f"ANTHROPIC_API_KEY={CLAUDE}",
        f'export ANTHROPIC_API_KEY="{CLAUDE}"\n',
        f"ANTHROPIC_API_KEY: {CLAUDE}",
        f"Bearer {CLAUDE}",
        f"\ufeff{CLAUDE}\u200b",
        f"\x1b[200~{CLAUDE}\x1b[201~",
        f"{CLAUDE}\u00a0",
    ],
)
def test_a_pasted_key_is_cleaned(pasted: str) -> None:
    assert pasted_key(ANTHROPIC, pasted).reveal() == CLAUDE


@pytest.mark.parametrize(
    ("name", "pasted", "words"),
    [
        (ANTHROPIC, GEMINI, "a Google key"),
        (GOOGLE, CLAUDE, "an Anthropic key"),
        (GOOGLE, "sk-proj-0123456789abcdefghij", "an OpenAI key"),
        (ANTHROPIC, "sk-proj-0123456789abcdefghij", "an OpenAI key"),
        (ANTHROPIC, "sk-or-v1-0123456789abcdefghij", "an OpenRouter key"),
        (MODAL_ID, "as-0123456789abcdefghijkl", "the secret of a Modal token"),
        (MODAL_SECRET, "ak-0123456789abcdefghijkl", "the id of a Modal token"),
        (OPENALEX, "hf_0123456789abcdefghijkl", "a Hugging Face token"),
        (ANTHROPIC, "ghp_0123456789abcdefghijkl", "a GitHub token"),
        (ANTHROPIC, f"GOOGLE_API_KEY={GEMINI}", "that is GOOGLE_API_KEY"),
    ],
)
def test_a_key_of_someone_else_is_recognised_and_said_so(name: str, pasted: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        pasted_key(name, pasted)
    assert KEY_NAMES[name].url in caught.value.next_step
    assert pasted[-12:] not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (GOOGLE, GEMINI),
        (GOOGLE, "AQ.Ab8RN6Jabcdefghijklmnopqrstuvwxyz0123"),
        (MODAL_ID, "ak-0123456789abcdefghijkl"),
        (MODAL_SECRET, "as-0123456789abcdefghijkl"),
        (OPENALEX, "0123456789abcdef"),
        (ANTHROPIC, "a-shape-of-the-future-0123456789"),
    ],
)
def test_the_right_key_and_an_unknown_shape_are_taken(name: str, value: str) -> None:
    assert pasted_key(name, value).reveal() == value


PLACEHOLDERS = (
    "", "   ", '""', "your_anthropic_api_key_here", "your-key-here", "YOUR_API_KEY", "changeme", "change-me",
    "<your key>", "xxxxxxxx", "sk-ant-...", "sk-ant-xxxxxxxxxxxxxxxx", "TODO", "None", "...",
    "${ANTHROPIC_API_KEY}", "paste-your-key", "insert_key", "placeholder", "sk-ant-",
)  # fmt: skip


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_counts_as_missing(value: str) -> None:
    assert is_placeholder(value)
    with pytest.raises(InputError, match="placeholder or nothing"):
        pasted_key(ANTHROPIC, value)


@pytest.mark.parametrize("value", [CLAUDE, GEMINI, "ak-0123456789abcdefghijkl", "0123456789abcdef"])
def test_a_key_is_no_placeholder(value: str) -> None:
    assert not is_placeholder(value)


@pytest.mark.parametrize("value", ["schlüssel-für-alles-0123456789", "a" * 2000, "key\x07with-a-bell-0123"])
def test_what_can_be_no_key_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(InputError, match="is no key") as caught:
        pasted_key(ANTHROPIC, value)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("pasted", "name"),
    [
        (CLAUDE, ANTHROPIC),
        (f' "{GEMINI}"\n', GOOGLE),
        (f"export GOOGLE_API_KEY='{GEMINI}'", GOOGLE),
        ("ak-0123456789abcdefghijkl", None),
        ("sk-proj-0123456789", None),
        ("something else", None),
    ],
)
def test_one_of_several_keys_is_told_by_its_shape(pasted: str, name: str | None) -> None:
    assert name_by_shape([ANTHROPIC, GOOGLE], pasted) == name
