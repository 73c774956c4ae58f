"""Verifying what is no paper: one clear error, whatever it is."""

from __future__ import annotations

import io
import json
import random
import re
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pypdf import PdfWriter

from core.errors import InputError
from core.paper.verify import Verified, verify_evidence
from tests.core.paper.test_markdown import paper
from tests.core.paper.test_verify import changed, pdf, verified
from tests.fakes.forging import (
    replace_raw_attachment,
    saved_anew,
)


def said_of(verify: Callable[[], Verified]) -> list[str]:
    """What a user reads: what does not hold, or why it was refused, in one line."""
    try:
        return list(verify().failures)
    except InputError as error:
        return str(error).splitlines() if "\n" not in str(error) else []


def test_an_encrypted_pdf_is_refused_as_that() -> None:
    with pytest.raises(InputError, match="encrypted"):
        verified(saved_anew(pdf(), lambda writer: writer.encrypt("secret", algorithm="RC4-128")))


def test_a_pdf_without_evidence_is_refused_as_that() -> None:
    plain = PdfWriter()
    plain.add_blank_page(612, 792)
    written = io.BytesIO()
    plain.write(written)
    with pytest.raises(InputError, match="no evidence is attached"):
        verified(written.getvalue())


def test_a_pdf_cut_short_anywhere_is_refused_in_one_line_or_named() -> None:
    whole = pdf()
    for end in range(20, len(whole), len(whole) // 12):
        assert said_of(partial(verified, whole[:end]))


def test_an_attachment_that_unpacks_to_gigabytes_is_refused() -> None:
    def bomb(writer: PdfWriter) -> None:
        packer = zlib.compressobj(9)
        zeros = bytes(1_000_000)
        packed = b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush()
        replace_raw_attachment(writer, "evidence.json", packed)

    with pytest.raises(InputError, match="too large once unpacked"):
        verified(saved_anew(pdf(), bomb))


@pytest.mark.parametrize(
    "text",
    [
        '"value": NaN', '"value": 1e999', '"value": -Infinity', '"name": "\\ud800"', '"value": 1' + "0" * 400,
        '"value": "nan\\u0000"', '"value": ' + "[" * 200 + "]" * 200, '"at": "yesterday"',
    ],
)  # fmt: skip
def test_evidence_with_values_that_none_has_is_refused_or_named(text: str) -> None:
    name = text.split(":")[0]
    changed_text = re.sub(
        rf"(\n   ){name}: [^\n]*?,\n", lambda m: f"{m[1]}{text},\n", paper().evidence, count=1
    )
    assert changed_text != paper().evidence
    assert said_of(partial(verify_evidence, changed_text.encode()))


def test_evidence_of_another_version_is_refused_as_that() -> None:
    with pytest.raises(InputError, match="version 1,"):
        changed(lambda content: content.update(version=1))


def test_any_value_of_the_evidence_changed_at_random_is_named_or_refused() -> None:
    generator = random.Random(11)
    strange: list[Any] = [None, "", "x", -1, 0, 1e308, [], {}, [[]], {"a": 1}, True, "2026-11-23", 10**30]
    for _ in range(150):
        content = json.loads(paper().evidence)
        places = [content]
        where: Any = content
        while isinstance(where, dict | list) and where and (len(places) < 2 or generator.random() < 0.8):
            places.append(where)
            where = where[key] if (key := _any_key(where, generator)) is not None else None
        container = places[-1]
        key = _any_key(container, generator)
        value = generator.choice(strange)
        if container[key] == value:
            continue
        container[key] = value
        assert said_of(partial(verify_evidence, (json.dumps(content, indent=1) + "\n").encode())), (
            key,
            value,
        )


def _any_key(container: Any, generator: random.Random) -> Any:
    return (
        generator.choice(list(container))
        if isinstance(container, dict)
        else generator.randrange(len(container))
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", "no PDF"),
        (b"%PDF-1.7\nhello", "cannot be read"),
        (b"", "no PDF"),
    ],
)
def test_what_is_no_paper_is_refused_in_one_line(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        verified(content)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "nonsense", '{"version": 2}', '{"version": 2, "paper": {}}', "[" * 100_000]
)
def test_what_is_no_evidence_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError):
        verify_evidence(text.encode())


def test_evidence_cut_short_is_refused_in_one_line() -> None:
    whole = paper().evidence.encode()
    for end in (10, len(whole) // 2, len(whole) - 5):
        with pytest.raises(InputError):
            verify_evidence(whole[:end])
