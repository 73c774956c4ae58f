"""Records: what an experiment's code wrote through ``lab``, one JSON object a line.

The host trusts nothing in a line but its bytes: exec, position and time are the host's own, and a
hash chain over the raw lines fixes their order and content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer record is kept as ``unreadable``."""

MAX_DEPTH = 32
"""So is one that is nested deeper: nothing honest is, and reading it back could exhaust the stack."""

MAX_LINE_NUMBER = 2**31


@dataclass(frozen=True)
class Record:
    """One line that ``lab`` wrote.

    Attributes:
        exec_id: the exec that wrote it.
        number: its position among the exec's lines, from 1; counted by the host.
        kind: ``condition``, ``config``, ``log``, ``note``, ``result``, ``data``, ``predictions``,
            ``artifact``, ``figure``, ``end``, or ``unreadable`` where the line was not a record.
        line: the line of experiment code that wrote it; 0 where unknown.
        condition: factor levels in force, the seed among them.
        body: the record's other fields.
        at: when the host took it in, UTC.
        chain: SHA-256 over everything the exec wrote up to and with this line.
    """

    exec_id: str
    number: int
    kind: str
    line: int
    condition: Mapping[str, Any]
    body: Mapping[str, Any]
    at: datetime
    chain: str


def chain_start(exec_id: str, code_sha256: str) -> str:
    """The head of an exec's hash chain before its first record."""
    return hashlib.sha256(f"{exec_id}:{code_sha256}".encode()).hexdigest()


def read_record(raw: bytes, *, exec_id: str, number: int, at: datetime, previous: str) -> Record:
    """Read one line; a line that is no record becomes one of kind ``unreadable``.

    Args:
        raw: the line without its newline.
        exec_id: the exec that wrote it.
        number: its position among the exec's lines, from 1.
        at: the host's time, UTC.
        previous: the chain's head before this line.
    """
    chain = hashlib.sha256(previous.encode() + raw).hexdigest()
    fields = _fields(raw)
    kind = fields.pop("kind", None)
    line = fields.pop("line", 0)
    condition = fields.pop("condition", {})
    if not (isinstance(kind, str) and _is_line(line) and isinstance(condition, dict)):
        kind, line, condition = "unreadable", 0, {}
        fields = {"text": raw[:200].decode(errors="replace")}
    return Record(exec_id, number, kind, line, condition, fields, at, chain)


def _fields(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE_BYTES:
        return {}
    try:
        fields = json.loads(raw)
        # A lone half of a surrogate pair is valid JSON, but no text: nothing can store or print it.
        json.dumps(fields, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) and not _deeper_than(MAX_DEPTH, fields) else {}


def _is_line(line: Any) -> bool:
    return isinstance(line, int) and not isinstance(line, bool) and 0 <= line < MAX_LINE_NUMBER


def _deeper_than(limit: int, value: Any) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
