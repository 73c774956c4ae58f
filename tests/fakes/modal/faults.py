"""What goes wrong at the double, switched on by tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

FaultKind: TypeAlias = Literal[
    "fail", "hang", "disconnect", "drop reply", "cut", "cut connection", "silence", "empty reply"
]
"""``fail``: refuse at once. ``hang``: never answer. ``disconnect``: cut the connection at once.
``drop reply``: do what was asked, then fail. ``cut``: end a stream with an error after some messages;
``cut connection``: end it with its connection; ``silence``: send nothing more."""


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes:
        rpc: the method, e.g. ``SandboxCreateV2``.
        kind: what happens.
        times: how often; below zero for ever.
        status: the gRPC status of the failure.
        message: its message.
        after_messages: of a stream, how many messages still get through.
        retry_after_seconds: attach the server's wish that clients try again after so many seconds.
        skip: let this many calls through first.
    """

    rpc: str
    kind: FaultKind = "fail"
    times: int = 1
    status: str = "UNAVAILABLE"
    message: str = "the double was told to fail"
    after_messages: int = 0
    retry_after_seconds: float | None = None
    skip: int = 0


@dataclass
class Faults:
    """Everything that is switched on.

    Attributes:
        active: faults of single methods.
        taken: how often each method was called.
        no_room: GPU types that never get a machine (``any`` stands for every GPU).
        build_error: why images cannot be built; empty for no error.
        build_log: lines that a build prints; None for some usual ones.
    """

    active: list[Fault] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    no_room: tuple[str, ...] = ()
    build_error: str = ""
    build_log: tuple[str, ...] | None = None

    def add(self, fields: dict[str, Any]) -> None:
        """Switch a fault on."""
        self.active.append(Fault(**fields))

    def clear(self) -> None:
        """Switch everything off."""
        self.__init__()  # type: ignore[misc]

    def take(self, rpc: str) -> Fault | None:
        """The fault that this call meets, if any; a call counts once."""
        self.taken[rpc] = self.taken.get(rpc, 0) + 1
        for fault in self.active:
            if fault.rpc != rpc or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None
