"""What people are told of a launch before they approve it: on the card, in plain lines and by ``show``.

All of it is what the provider may make of the specification, so that nothing on the bill is a surprise:
which machine, what of the network, which packages and data, whose prices of when, and what a second start
costs.
"""

from __future__ import annotations

from core.experiment import Compute
from core.rates import gpu_offer_in_words, prices_in_words
from core.record.state import RunState
from core.sandbox.machines import MODAL, gpu_in_words, usual_packages
from tui.safe_text import one_line
from tui.wording import length_of_time, size_in_words

PREEMPTED = (
    "Modal may take a GPU machine back; a second start then counts within the maximum, or you are asked again"
)

NAMED_FILES = 3
"""How many of the files that a run was given are named; the others are counted."""


def machine_in_words(state: RunState, compute: Compute, *, whole: bool = False) -> str:
    """Who provides which machine, and for how long.

    Args:
        state: the run.
        compute: what is asked for.
        whole: with the limits that hardly ever matter, too.
    """
    provider = state.settings.sandbox
    more = f" · {compute.disk_gib:g} GiB disk · {compute.processes} processes" if whole else ""
    return (
        f"{provider} · {one_line(gpu_in_words(provider, compute.gpu))} · {compute.cpus} CPU"
        f" · {compute.memory_gib:g} GiB{more} · {length_of_time(compute.timeout_seconds)} limit"
    )


def network_in_words(compute: Compute) -> str:
    """What of the network scripts can reach."""
    words = {"blocked": "blocked", "open": "open: scripts can reach, and send to, all of it"}
    return words.get(compute.network) or one_line(compute.network_in_words)


def packages_in_words(state: RunState, compute: Compute) -> str:
    """What is installed."""
    if compute.packages:
        return one_line(", ".join(compute.packages))
    usual = usual_packages(state.settings.sandbox)
    return f"the usual ones: {', '.join(usual)}" if usual else "none"


def data_in_words(state: RunState) -> str:
    """Which of the human's files scripts can read; empty where there are none."""
    if not state.data:
        return ""
    names = ", ".join(one_line(name, 40) for name in list(state.data)[:NAMED_FILES])
    more = f" and {len(state.data) - NAMED_FILES} more" if len(state.data) > NAMED_FILES else ""
    size = size_in_words(sum(file.size_bytes for file in state.data.values()))
    # Without a box a script runs as the user, who can change the copies.
    alone = state.engine is not None and state.engine.isolation == "process only"
    return f"{names}{more} · {size}{'' if alone else ' · read-only'}"


def launch_notes(state: RunState, compute: Compute) -> list[tuple[str, str]]:
    """What else has to be known of the machine and its price: a word or two, and the words.

    Args:
        state: the run; its journal says what was learned of prices.
        compute: what is asked for.
    """
    notes = []
    if offer := gpu_offer_in_words(state, compute.gpu):
        notes.append(("GPU", one_line(offer, 300)))
    if state.settings.sandbox == MODAL and compute.gpu is not None:
        notes.append(("Preemption", PREEMPTED))
    return notes


def prices_note(state: RunState) -> str:
    """Whose prices an estimate was made with, and of when; empty where the user said them."""
    return one_line(prices_in_words(state), 200)
