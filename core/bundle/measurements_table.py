"""Every measurement of a run as CSV, for spreadsheets and statistics programs."""

from __future__ import annotations

import csv
import io
import json

from core.evidence.ledger import Ledger
from core.evidence.measurement import Measurement

COLUMNS = (
    "id", "experiment", "exec", "line", "name", "value", "unit", "split", "seed", "condition", "level",
    "counts", "doubt", "again_of", "at", "chain",
)  # fmt: skip


def measurements_csv(ledger: Ledger) -> str:
    """One line for each measurement in the order of the records, below a line of names (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for measurement in ledger.measurements:
        facts = ledger.execs.get(measurement.exec_id)
        writer.writerow(_row(measurement, facts.again_of if facts else ""))
    return text.getvalue()


def _row(m: Measurement, again_of: str) -> tuple[object, ...]:
    return (
        m.id,
        m.experiment_id,
        m.exec_id,
        m.line,
        _cell(m.name),
        repr(m.value),
        _cell(m.unit),
        _cell(m.split),
        _cell(m.seed) if isinstance(m.seed, str) else m.seed,
        _cell(json.dumps(dict(m.condition), ensure_ascii=False, sort_keys=True)),
        m.level,
        m.usable,
        _cell(m.doubt),
        again_of,
        m.at.isoformat(),
        m.chain,
    )


def _cell(text: str) -> str:
    """Text of experiment code that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
