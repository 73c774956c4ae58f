"""What a sandbox on Modal costs: a dated table, and the workspace's own rates where they are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.errors import SandboxUnavailable
from core.experiment import Compute
from core.pricing import dollars
from core.sandbox.modal.gpus import UPGRADES, candidates

TABLE_DATE = date(2026, 9, 20)
"""When the table was taken from the vendor's rates."""

GPU_USD_PER_HOUR: Mapping[str, Decimal] = {
    "T4": Decimal("0.59"),
    "L4": Decimal("0.80"),
    "A10": Decimal("1.10"),
    "L40S": Decimal("1.95"),
    "A100-40GB": Decimal("2.10"),
    "A100-80GB": Decimal("2.50"),
    "RTX-PRO-6000": Decimal("3.03"),
    "H100": Decimal("3.95"),
    "H200": Decimal("4.54"),
    "B200": Decimal("6.25"),
    "B300": Decimal("7.10"),
}
"""USD per hour for one GPU."""

CPU_USD_PER_HOUR = Decimal("0.1419")
"""USD per hour for one core of a sandbox."""

MEMORY_USD_PER_HOUR = Decimal("0.024")
"""USD per hour for one GiB of memory of a sandbox."""

DEAREST: Mapping[str, str] = {"A100": "A100-40GB", "H100": "H200", "H100!": "H100", "B200+": "B300"}
"""What a name may turn out to be at its dearest, where that is not the name itself: a plain ``H100``
may be upgraded to an H200, a ``B200+`` may be a B300 (vendor's guide, 2026-11)."""

OWN_MEMORY_GIB = 0.5
"""Memory beside the script's own, for what runs it."""

LIVE_SOURCE = "your workspace's rates of "
"""What the source of live rates begins with; the date of the day follows."""

FARTHEST = 5
"""A rate farther from the table than this factor is in other units, or another thing."""


@dataclass(frozen=True)
class Prices:
    """What parts of a sandbox cost, USD per hour.

    Attributes:
        gpus: one GPU, by name.
        cpu: one core.
        memory: one GiB.
        source: where they are from, for people.
    """

    gpus: Mapping[str, Decimal]
    cpu: Decimal
    memory: Decimal
    source: str

    def usd_per_hour(self, compute: Compute) -> Decimal | None:
        """What an open sandbox costs at most, USD per hour; None where a price is unknown.

        Modal bills what is used or what was reserved, whichever is more, and both are limited: cores
        to those of ``compute``, memory to its memory and our own. ``any`` costs what its dearest does.
        """
        memory = Decimal(str(compute.memory_gib + OWN_MEMORY_GIB))
        machine = compute.cpus * self.cpu + memory * self.memory
        try:
            gpus = [self._gpu(name) for name in candidates(compute.gpu)]
        except SandboxUnavailable:
            return None
        known = [price for price in gpus if price is not None]
        return machine + max(known) if len(known) == len(gpus) else None

    def gpu_in_words(self, gpu: str) -> str:
        """What a GPU costs per hour without the rest of its machine; empty where Modal has none such."""
        try:
            names = candidates(gpu)
        except SandboxUnavailable:
            return ""
        if len(names) > 1:
            return ", ".join(f"{name} {dollars(self._gpu(name))}/h" for name in names)
        kind, _, count = str(names[0]).partition(":")
        dearest = dollars(self._gpu(names[0]))
        if kind not in UPGRADES:
            return f"{dearest}/h"
        own = self.gpus.get(kind.rstrip("+"))
        usual = f"{dollars(own * int(count or 1))}/h, or " if own is not None else ""
        return f"{usual}{dearest}/h where Modal gives {UPGRADES[kind]}"

    def offer_in_words(self, gpu: str) -> str:
        """What a GPU's name may turn out to be, with prices now; empty where the name says it all."""
        try:
            names = candidates(gpu)
        except SandboxUnavailable:
            return ""
        if len(names) > 1:
            *others, last = [f"{name} {dollars(self._gpu(name))}" for name in names]
            return f"now {', '.join(others)} or {last} per hour; the maximum is for the dearest"
        kind, _, count = str(names[0]).partition(":")
        if kind not in UPGRADES:
            return ""
        each = " each" if count else ""
        price = dollars(self.gpus.get(DEAREST[kind]))
        return f"Modal may give {UPGRADES[kind]} instead, now {price} per hour{each}; the maximum is for that"

    def _gpu(self, name: str | None) -> Decimal | None:
        if name is None:
            return Decimal(0)
        kind, _, count = name.partition(":")
        price = self.gpus.get(DEAREST.get(kind, kind))
        return None if price is None else price * int(count or 1)


TABLE = Prices(
    GPU_USD_PER_HOUR, CPU_USD_PER_HOUR, MEMORY_USD_PER_HOUR, f"Modal's prices of {TABLE_DATE.isoformat()}"
)


def live(rates: Mapping[str, Decimal], today: date) -> Prices:
    """The workspace's own rates, with the table for what they do not name.

    Keys are the vendor's and may change: one is taken for a GPU, for cores or for memory where it
    names that and nothing else, and where its rate is not far from the table's.

    Args:
        rates: USD per hour by the vendor's key.
        today: when they were asked for.
    """
    named = {_plain(key): rate for key, rate in rates.items()}

    def rate(known: Decimal, *keys: str) -> Decimal | None:
        found = {named[key] for key in keys if key in named}
        near = {one for one in found if known / FARTHEST <= one <= known * FARTHEST}
        return max(near) if near else None

    gpus = dict(GPU_USD_PER_HOUR)
    taken = 0
    for name, known in GPU_USD_PER_HOUR.items():
        plain = _plain(name)
        found = rate(known, plain, f"gpu{plain}", f"sandboxgpu{plain}", f"{plain}gpu")
        gpus[name] = known if found is None else found
        taken += found is not None
    cpu = rate(CPU_USD_PER_HOUR, "sandboxcpu", "cpusandbox", "sandboxescpu")
    memory = rate(MEMORY_USD_PER_HOUR, "sandboxmemory", "memorysandbox", "sandboxesmemory")
    if not taken and cpu is None and memory is None:
        return TABLE
    whole = taken == len(GPU_USD_PER_HOUR) and cpu is not None and memory is not None
    source = f"{LIVE_SOURCE}{today.isoformat()}"
    return Prices(
        gpus,
        CPU_USD_PER_HOUR if cpu is None else cpu,
        MEMORY_USD_PER_HOUR if memory is None else memory,
        source if whole else f"{source}, and for the rest {TABLE.source}",
    )


def _plain(key: str) -> str:
    return re.sub(
        r"per_?hour|hourly|_hour$|usd|cores?|gib", "", re.sub(r"[^a-z0-9_]", "_", key.lower())
    ).replace("_", "")
