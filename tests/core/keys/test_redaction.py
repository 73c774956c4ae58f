"""Keys are taken out of whatever is written or shown; what is no key stays as it is."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import redaction
from core.keys.redaction import MASK, RedactingFilter, know, redacted, without_known_keys
from core.keys.secret import Secret
from core.record.events import RunEnded
from core.record.journal import Journal

VALUE = 'a-key/with+signs"0123456789=='
KEY = Secret(VALUE)


@pytest.mark.parametrize(
    "form",
    [VALUE, quote(VALUE, safe=""), json.dumps({"key": VALUE}), base64.b64encode(VALUE.encode()).decode()],
)
def test_a_known_key_is_taken_out_in_every_form_it_takes_in_text(form: str) -> None:
    for clean in (redacted, without_known_keys):
        left = clean(f"before {form} after")
        assert "0123456789" not in left
        assert form.strip("{}") not in left
        assert left.startswith("before ")
        assert left.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "sk-ant-api03-unknown-to-this-process-0123",
        "AIzaSyB-unknown-to-this-process-0123456789",
        "ak-0123456789unknownToThis",
        "as-0123456789unknownToThis",
        "GET https://example.org/v1?key=unknown-to-this-process",
    ],
)
def test_what_looks_like_a_key_is_taken_out_of_logs_though_nobody_knows_it(text: str) -> None:
    assert "unknown" not in redacted(f"it said: {text}!")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a task-list as-is",
        "risk-averse 0.123",
        "basket",
        "ak-47",
        "key=value",
        "seeds=0..7 as-of 2026-11-23",
    ],
)
def test_what_is_no_key_stays(text: str) -> None:
    assert redacted(text) == text


def test_facts_keep_what_only_looks_like_a_key_because_signatures_must_come_back_bit_for_bit() -> None:
    signature = "sk-ant-" + base64.b64encode(bytes(range(200))).decode()
    assert without_known_keys(signature) == signature


def test_a_passphrase_that_is_an_innocent_word_changes_no_fact() -> None:
    Secret("orchestrator proposes")
    assert without_known_keys('{"agent":"orchestrator proposes"}') == '{"agent":"orchestrator proposes"}'


AROUND = " ·\n"
"""Characters that no key and no form of one has."""

BEGINNINGS = st.text('xyz/+"', min_size=7, max_size=20).map(lambda text: f"k1{text}")
ENDS = st.text("abc789%\\ü", min_size=9, max_size=20).map(lambda text: f"w2{text}")
ENCODINGS: list[Callable[[str], str]] = [
    str,
    lambda key: quote(key, safe=""),
    lambda key: json.dumps(key)[1:-1],
    lambda key: json.dumps(key, ensure_ascii=False)[1:-1],
    lambda key: base64.b64encode(key.encode()).decode().rstrip("="),
    lambda key: base64.urlsafe_b64encode(key.encode()).decode().rstrip("="),
]


@contextmanager
def only(*keys: str) -> Iterator[None]:
    """A process that has held these keys, in this order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_forms", {})
        patch.setattr(redaction, "_unmistakable", [])
        for key in keys:
            know(key)
        yield


def nothing_but_masks(left: str) -> bool:
    return set(left) <= {*AROUND, *MASK}


def test_nothing_stays_of_a_key_that_begins_with_another_one() -> None:
    short, long = "abcdefgh12345678", "abcdefgh12345678-and-a-tail"
    for order in ((short, long), (long, short)):
        with only(*order):
            for clean in (redacted, without_known_keys):
                assert clean(f"{long} {short}") == f"{MASK} {MASK}"


@given(
    beginning=BEGINNINGS,
    middle=BEGINNINGS,
    end=ENDS,
    encode=st.sampled_from(ENCODINGS),
    around=st.text(AROUND, max_size=3),
    turned=st.booleans(),
)
def test_nothing_stays_of_keys_that_share_characters_in_any_form(
    beginning: str, middle: str, end: str, encode: Callable[[str], str], around: str, turned: bool
) -> None:
    keys = [beginning + middle, middle + end, beginning + middle + end, middle + middle]
    texts = [*keys, beginning + middle + end, middle * 3]
    with only(*(reversed(keys) if turned else keys)):
        for clean in (redacted, without_known_keys):
            assert nothing_but_masks(clean(around.join(encode(key) for key in keys)))
            assert nothing_but_masks(clean(around.join(texts)))


@given(text=st.text(max_size=200))
def test_a_text_without_any_key_stays_as_it_is(text: str) -> None:
    with only("k1-not-in-any-of-these-texts", "k1-not-in-any-of-these-texts-either"):
        assert without_known_keys(text) == text
        assert redacted(redacted(text)) == redacted(text)


def test_a_key_with_letters_beyond_ascii_stays_out_of_facts_which_keep_such_letters(tmp_path: Path) -> None:
    key = 'pässwörter-"0123456789"'
    with only(key), Journal(tmp_path / "journal.db", create=True) as journal:
        journal.append(RunEnded(outcome="failed", message=f"refused: {key}"))
        (event,) = journal.read()
    assert isinstance(event, RunEnded)
    assert event.message == "refused: ••••"


def logged(record: logging.LogRecord) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    handler.handle(record)
    return stream.getvalue()


def test_a_log_record_loses_keys_in_its_words_arguments_and_traceback() -> None:
    try:
        try:
            raise ValueError(f"cannot use {VALUE}")
        except ValueError as error:
            raise RuntimeError("later") from error
    except RuntimeError as error:
        told = (type(error), error, error.__traceback__)
    text = logged(
        logging.LogRecord(
            "n", logging.ERROR, "p", 1, f"{VALUE} %s %r", (VALUE, {"k": VALUE}), told, sinfo=VALUE
        )
    )
    assert "0123456789" not in text
    assert "ValueError: cannot use ••••" in text
    assert "RuntimeError: later" in text


def test_a_log_record_that_does_not_fit_its_arguments_is_logged_all_the_same() -> None:
    assert "broken %s" in logged(logging.LogRecord("n", logging.ERROR, "p", 1, "broken %s %s", (1,), None))


def test_no_event_and_no_streamed_text_ever_holds_a_known_key(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db", create=True) as journal:
        journal.append(RunEnded(outcome="failed", message=f"refused: {VALUE}"))
        journal.set_partial("orchestrator", f"I was told {VALUE}")
        (event,) = journal.read()
        assert isinstance(event, RunEnded)
        assert event.message == "refused: ••••"
        assert journal.partials() == {"orchestrator": "I was told ••••"}
    assert b"0123456789" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_task_that_nobody_waits_for_is_logged_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(RedactingFilter())

    async def fails() -> None:
        raise ValueError(f"cannot use {VALUE}")

    async def forget() -> None:
        task = asyncio.ensure_future(fails())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(forget())
    assert "never retrieved" in caplog.text
    assert "0123456789" not in caplog.text
