"""The one filter that takes keys out of text before it is written or shown."""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote

MASK = "••••"
LEAST_CHARACTERS = 8
"""A shorter value would also be found in innocent text."""

SHAPES = re.compile(
    r"sk-[A-Za-z0-9_-]{20,}"
    r"|AIza[A-Za-z0-9_-]{35}"
    r"|AQ\.[A-Za-z0-9_-]{30,}"
    r"|\b(?:ak|as)-[A-Za-z0-9]{20,}"
    r"|(?<=[?&]key=)[^&\s\"']+"
)
"""What the keys of providers look like, also where this process does not know them."""

LEAST_FOR_FACTS = 16
"""In facts only what can be nothing but a key is replaced: a passphrase may be an innocent word."""

_forms: dict[str, tuple[str, ...]] = {}
_unmistakable: list[str] = []


def know(value: str) -> None:
    """Take a key out of everything that is redacted from now on, in the forms it takes in text."""
    if len(value) >= LEAST_CHARACTERS and value not in _forms:
        _forms[value] = _forms_of(value)
        if len(value) >= LEAST_FOR_FACTS and any(map(str.isdigit, value)) and any(map(str.isalpha, value)):
            _unmistakable.extend(_forms[value])


def _forms_of(value: str) -> tuple[str, ...]:
    """A value as it is, in an address, in JSON (with and without its escapes of letters) and in base64."""
    data = value.encode()
    forms = (
        value,
        quote(value, safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
    )
    return tuple(dict.fromkeys(forms))


def unmistakable_forms() -> tuple[str, ...]:
    """Every form of every key that this process has held and that nothing else could be."""
    return tuple(_unmistakable)


def without_known_keys(text: str) -> str:
    """A text without the keys that this process has held; nothing else in it changes.

    For what must stay as it is bit for bit, such as a provider's signatures: no shape is guessed at.
    """
    return _masked(text, _places(text, _unmistakable))


def redacted(text: str) -> str:
    """A text for people or for a log, without any key and without anything that looks like one."""
    places = [place for forms in tuple(_forms.values()) for place in _places(text, forms)]
    return _masked(text, places + [shape.span() for shape in SHAPES.finditer(text)])


def _places(text: str, forms: Sequence[str]) -> list[tuple[int, int]]:
    """From where to where each form is in a text; also where two of them share characters."""
    places = []
    for form in forms:
        start = text.find(form)
        while start >= 0:
            places.append((start, start + len(form)))
            start = text.find(form, start + 1)
    return places


def _masked(text: str, places: list[tuple[int, int]]) -> str:
    """A text with one mask for each place, and for places that overlap one for all of them.

    All places are found before the first is masked: a key that begins with another one, or shares its end
    with the beginning of another one, would else be cut in two and keep a part.
    """
    pieces, done = [], 0
    for start, end in sorted(places):
        if start >= done:
            pieces += [text[done:start], MASK]
        done = max(done, end)
    return "".join((*pieces, text[done:]))


class RedactingFilter(logging.Filter):
    """Takes keys out of a log record, its traceback included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put words without keys in the place of the record's own."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        record.msg, record.args = redacted(message), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redacted("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = redacted(record.exc_text)
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return True


def redact_process() -> None:
    """Filter every log handler of this process, and what Python itself prints about errors.

    Call this once the handlers are there. Tracebacks never show the values of variables.
    """
    handlers = [*logging.getLogger().handlers]
    if logging.lastResort is not None:
        handlers.append(logging.lastResort)
    for handler in handlers:
        if not any(isinstance(known, RedactingFilter) for known in handler.filters):
            handler.addFilter(RedactingFilter())
    logging.captureWarnings(True)
    sys.excepthook = _print_redacted
    sys.unraisablehook = lambda told: _print_redacted(told.exc_type, told.exc_value, told.exc_traceback)
    threading.excepthook = lambda told: _print_redacted(told.exc_type, told.exc_value, told.exc_traceback)


def _print_redacted(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None, *_: Any
) -> None:
    if sys.stderr is not None:
        sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))
