"""Times, lengths of time and amounts, in words for people."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from core.errors import InputError
from core.pricing import at_most_dollars, dollars
from core.record.state import RunState
from tui.safe_text import one_line

MINUTE, HOUR, DAY = 60, 3600, 86_400

MOST_USD = Decimal(1_000_000)

BYTES_PER_UNIT = 1000
UNITS = ("kB", "MB", "GB")


def age(since: datetime | None, at: datetime | None = None) -> str:
    """How long ago something was, shortly: ``42 m``, ``2 d``; ``–`` where unknown.

    Args:
        since: when it was.
        at: seen from when; None for now.
    """
    if since is None:
        return "–"
    seconds = max(0, int(((at or datetime.now(UTC)) - since).total_seconds()))
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock(seconds: float) -> str:
    """A length of time as a clock shows it: ``0:42``, ``1:02:07``."""
    minutes, rest = divmod(max(0, int(seconds)), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_of_day(at: datetime) -> str:
    """A time of day where the reader is: ``12:04:51``."""
    return f"{at.astimezone():%H:%M:%S}"


def usd(text: str) -> Decimal:
    """Read an amount as people type it, ``2.50`` or ``$2.50``.

    Raises:
        InputError: it is no amount, negative, or absurdly large.
    """
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise InputError(f"{text!r} is not an amount in USD", "Type it like 2.50.") from None
    if not amount.is_finite() or amount < 0:
        raise InputError(f"a budget cannot be {text}", "Name USD from 0 up.")
    if amount > MOST_USD:
        raise InputError(f"{text} is more than {dollars(MOST_USD)}", "Name a smaller amount.")
    return amount


def counted(count: int, noun: str) -> str:
    """A count with its noun: ``1 number``, ``2 numbers``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def length_of_time(seconds: int) -> str:
    """A limit as people say it: ``40 min``, ``90 s``, ``2 h 30 min``."""
    minutes, rest = divmod(seconds, MINUTE)
    if minutes == 0 or (rest and seconds < HOUR):
        return f"{seconds} s"
    hours, minutes = divmod(minutes, MINUTE)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{minutes} min"] if minutes else parts)


def size_in_words(size_bytes: int) -> str:
    """A size as people say it: ``812 bytes``, ``1.4 MB``."""
    if size_bytes < BYTES_PER_UNIT:
        return counted(size_bytes, "byte")
    size = float(size_bytes)
    for unit in UNITS:
        size /= BYTES_PER_UNIT
        if size < BYTES_PER_UNIT or unit == UNITS[-1]:
            break
    return f"{size:.3g} {unit}" if size < BYTES_PER_UNIT else f"{size:,.0f} {unit}"


def data_in_short(state: RunState) -> str:
    """How many files the run has, and how large they are together."""
    size = sum(file.size_bytes for file in state.data.values())
    return f"{counted(len(state.data), 'file')}, {size_in_words(size)}"


def data_lines(state: RunState) -> list[str]:
    """The run's files, a line each."""
    columns = max((len(name) for name in state.data), default=0)
    return [
        f"{one_line(file.name):<{columns}}  {size_in_words(file.size_bytes):>9}"
        f"  sha256 {one_line(file.sha256)}"
        for file in state.data.values()
    ]


def cost_line(state: RunState) -> str:
    """What a run has cost and may still cost."""
    unknown = f" (+ {counted(state.unknown_costs, 'unknown cost')})" if state.unknown_costs else ""
    unsettled = f" (+ {at_most_dollars(state.unsettled_usd)} cut off)" if state.unsettled_usd else ""
    return (
        f"spent {dollars(state.spent_usd)}{unknown}{unsettled} of {dollars(state.cap_usd)} cap"
        f" · reserved {dollars(state.reserved_usd)}"
        f" · tokens {state.input_tokens:,} in, {state.output_tokens:,} out"
    )
