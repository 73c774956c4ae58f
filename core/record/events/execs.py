"""Events about scripts and the records that they leave."""

from __future__ import annotations

from typing import ClassVar, Literal

from core.record.events.base import Event


class ExecRequested(Event):
    """A script is about to be started."""

    type: Literal["exec.requested"] = "exec.requested"
    once: ClassVar[str | None] = "exec_id"
    exec_id: str
    experiment_id: str
    call_id: str
    """The tool call that it runs for."""
    code: str
    code_sha256: str
    purpose: str = ""
    trial: bool = False


class ExecEnded(Event):
    """A script ended, by itself or not; everything it printed and recorded is in."""

    type: Literal["exec.ended"] = "exec.ended"
    once: ClassVar[str | None] = "exec_id"
    exec_id: str
    end: str
    """Why: see ``core.sandbox.base.ExecEnd``."""
    exit_code: int | None
    seconds: float
    peak_memory_bytes: int = 0
    output_bytes: int = 0


class RecordsTaken(Event):
    """Records of an exec were taken in; appended together with the records themselves."""

    type: Literal["records.taken"] = "records.taken"
    exec_id: str
    offset: int
    """Bytes of the exec's records that are in, from its first."""
    records: int
    """Records of the exec that are in."""
    chain: str
    """Head of the exec's hash chain."""
    results: tuple[tuple[str, float | str], ...] = ()
    """Names and values of results among the new records, at most the last 20."""
