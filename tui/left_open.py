"""What a run that no engine drives has left open at Modal, by its journal: it costs until its time is up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from core.budget import open_at_most
from core.pricing import dollars
from core.rates import rates_of
from core.record.events import now
from core.record.folder import RunFolder
from core.record.state import RunState
from core.sandbox.machines import MODAL

SEE = "see 'fumehood sandboxes'"


@dataclass(frozen=True)
class LeftOpen:
    """A sandbox that may still be open at Modal.

    Attributes:
        experiment_id: whose it is.
        usd_per_hour: what it costs, USD; None where unknown.
    """

    experiment_id: str
    usd_per_hour: Decimal | None


def left_open(folder: RunFolder, state: RunState) -> tuple[LeftOpen, ...]:
    """What may still be open at Modal; nothing where an engine sees to it.

    A sandbox that was asked for and that nobody could say is open counts, too: it may be there.
    """
    if state.created is None or state.settings.sandbox != MODAL or folder.has_engine():
        return ()
    price = rates_of(state).sandbox
    found = []
    for experiment in state.experiments.values():
        opened = experiment.sandbox
        if opened is not None:
            if now() < opened.at + timedelta(seconds=open_at_most(experiment)):
                found.append(LeftOpen(experiment.id, opened.usd_per_hour))
        elif experiment.open and experiment.awaited_name is not None:
            asked_at = state.last_at or now()
            if now() < asked_at + timedelta(seconds=open_at_most(experiment)):
                found.append(LeftOpen(experiment.id, price(experiment.spec.compute)))
    return tuple(found)


def may_have_volumes(state: RunState) -> bool:
    """Whether a run may have volumes at Modal: they come with its first sandbox or its first data."""
    if state.created is None or state.settings.sandbox != MODAL:
        return False
    return bool(state.data) or any(experiment.requested for experiment in state.experiments.values())


def left_in_words(left: Sequence[LeftOpen]) -> str:
    """What is left open and what it costs, without the final full stop; empty where nothing is."""
    if not left:
        return ""
    names = ", ".join(one.experiment_id for one in left)
    sandboxes = "The sandbox of" if len(left) == 1 else "The sandboxes of"
    may = "may still be open at Modal"
    return f"{sandboxes} {names} {may}, at {dollars_per_hour(one.usd_per_hour for one in left)}: {SEE}"


def dollars_per_hour(prices: Iterable[Decimal | None]) -> str:
    """What sandboxes cost per hour together, for people; what is unknown is not taken for nothing."""
    all_prices = list(prices)
    known = sum((price for price in all_prices if price is not None), Decimal(0))
    return f"{dollars(known)}/h" + (" + ?" if None in all_prices else "")
