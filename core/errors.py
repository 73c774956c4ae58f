"""Every error that fumehood raises on purpose, in one tree.

::

    FumehoodError                   anything a user can meet; has a next step
    ├── InputError                  what was asked for cannot be done as asked (exit code 2)
    │   ├── RunNotFound             no run goes by that name
    │   ├── DecisionError           nothing waits for that decision
    │   ├── ConfigError             a setting cannot be read or does not make sense
    │   └── TrajectoryError         a scripted model's file cannot be read
    ├── RunError                    a run's folder cannot be used
    │   ├── JournalError            the journal cannot be read or written
    │   │   └── JournalTooNew       it was written by a newer fumehood
    │   ├── StorageError            the disk is full, read-only or forbidden
    │   └── RunLocked               another engine drives this run
    ├── EngineError                 the engine's process could not be started or has ended
    ├── KeysError                   a place where keys are kept cannot be used now
    │   └── KeysLocked              it is locked; asking again once it is unlocked can help
    ├── ModelError                  a model did not give a complete turn
    │   ├── ModelBusy               try again: rate limit, overload, network, cut stream
    │   ├── ModelRejected           trying again cannot help: a bad request
    │   │   ├── ModelUnusable       not for any agent, until a human acts: bad key, no credit, unknown model
    │   │   └── ContextFull         the conversation is longer than the model can read
    │   └── ModelRefused            the model declined to answer
    ├── SandboxError                a sandbox failed (never: a script failed)
    │   ├── SandboxUnavailable      it cannot be opened here
    │   ├── SandboxLost             it was there and is gone
    │   └── PackagesUnavailable     its packages cannot be installed
    ├── RenderingError              a paper's PDF cannot be made or read; its Markdown is there
    ├── LiteratureError             the literature cannot be asked, or a work cannot be cited
    │   ├── SourceFailed            one source did not answer as it should; others may
    │   ├── LiteratureOffline       no source answered, and nothing is kept from before
    │   └── WorkUnverified          a work does not resolve, is another one or was retracted
    ├── ToolError                   what a model asked of a tool was wrong; the model is told
    ├── BindingError                an expression in a paper does not resolve; the writer is told
    └── Outrun                      the journal grew under a conditional append; decide again
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

SandboxFault: TypeAlias = Literal[
    "refused",
    "no room",
    "too dear",
    "unreachable",
    "packages",
    "time over",
    "terminated",
    "ended",
    "silent",
    "gone",
]
"""What can be wrong with a sandbox.

``refused``: it is not to be had as it was asked for. ``no room``: no machine of its kind is free now.
``too dear``: it costs more now than was approved. ``unreachable``: its provider could not be asked.
``packages``: they cannot be installed. ``time over``: its approved time was. ``terminated``: somebody ended
it at its provider. ``ended``: it ended by itself, because it was preempted, stood idle or failed. ``silent``:
nothing is heard of it, and it may still be there. ``gone``: it is not there any more, or not usable, for any
other reason.
"""

_NOTHING = Decimal(0)


class FumehoodError(Exception):
    """An error with something to do about it.

    Args:
        message: what happened and why, one sentence without a final full stop.
        next_step: what the reader can do now; empty where nothing can be done.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message}. {self.next_step}" if self.next_step else self.message


class InputError(FumehoodError):
    """What was asked for cannot be done as asked; the command ends with exit code 2."""


class RunNotFound(InputError):
    """No run goes by that name, or more than one does."""


class DecisionError(InputError):
    """Nothing waits for that decision."""


class ConfigError(InputError):
    """A setting cannot be read or does not make sense."""


class TrajectoryError(InputError):
    """A scripted model's file cannot be read."""


class RunError(FumehoodError):
    """A run's folder cannot be used."""


class JournalError(RunError):
    """The journal cannot be read or written."""


class JournalTooNew(JournalError):
    """The journal was written by a newer fumehood."""


class StorageError(RunError):
    """The disk is full, read-only or forbidden to us."""


class RunLocked(RunError):
    """Another engine drives this run."""


class EngineError(FumehoodError):
    """The engine's process could not be started or has ended."""


class KeysError(FumehoodError):
    """A place where keys are kept cannot be used now."""


class KeysLocked(KeysError):
    """A place where keys are kept is locked; asking again once it is unlocked can help."""


class ModelError(FumehoodError):
    """A model did not give a complete turn.

    Args:
        message: what happened.
        next_step: what the reader can do now.
        cost_usd: what the provider may bill for the part that came, USD; zero where nothing came; None
            where something came whose price is unknown.

    Attributes:
        unsettled_usd: what the provider may bill beyond that, at most, USD; set by whoever knows it.
    """

    def __init__(self, message: str, next_step: str = "", cost_usd: Decimal | None = _NOTHING) -> None:
        super().__init__(message, next_step)
        self.cost_usd = cost_usd
        self.unsettled_usd = _NOTHING


class ModelBusy(ModelError):
    """Trying the same turn again can help.

    Args:
        message: what happened.
        after_seconds: the delay the server asked for, in seconds; None where it named none.
        cost_usd: what the provider may bill, as for every ``ModelError``, USD.
        next_step: what the reader can do where trying again did not help.
    """

    def __init__(
        self,
        message: str,
        after_seconds: float | None = None,
        cost_usd: Decimal | None = _NOTHING,
        next_step: str = "",
    ) -> None:
        super().__init__(message, next_step, cost_usd)
        self.after_seconds = after_seconds


class ModelRejected(ModelError):
    """Trying the same turn again cannot help."""


class ModelUnusable(ModelRejected):
    """No agent can use this model until a human acts: a bad key, no credit, an unknown model."""


class ContextFull(ModelRejected):
    """The conversation is longer than the model can read."""


class ModelRefused(ModelError):
    """The model declined to answer."""


class SandboxError(FumehoodError):
    """A sandbox failed. A script that fails is a result, never this.

    Args:
        message: what happened.
        next_step: what the reader can do now.
        fault: what kind of failure it is; None for the usual one of its class.
    """

    usual_fault: ClassVar[SandboxFault] = "gone"

    def __init__(self, message: str, next_step: str = "", fault: SandboxFault | None = None) -> None:
        super().__init__(message, next_step)
        self.fault: SandboxFault = fault or self.usual_fault


class SandboxUnavailable(SandboxError):
    """The sandbox cannot be opened here, or its provider cannot be asked."""

    usual_fault = "refused"


class SandboxLost(SandboxError):
    """The sandbox was there and is gone; what ran in it has no result."""


class PackagesUnavailable(SandboxError):
    """The packages of an experiment cannot be installed."""

    usual_fault = "packages"


class RenderingError(FumehoodError):
    """A paper's PDF cannot be made, or cannot be read; its Markdown is there."""


class LiteratureError(FumehoodError):
    """The literature cannot be asked, or a work cannot be cited; no run fails over it."""


class SourceFailed(LiteratureError):
    """One source did not answer as it should; others may, and it may later."""


class LiteratureOffline(LiteratureError):
    """No source answered, and nothing is kept from before."""


class WorkUnverified(LiteratureError):
    """A work does not resolve, resolves to another one, or was retracted: it is not cited."""


class ToolError(FumehoodError):
    """What a model asked of a tool was wrong; the message goes back to the model."""


class BindingError(FumehoodError):
    """An expression in a paper does not resolve; the message goes back to the writer."""


class Outrun(FumehoodError):
    """Another process appended first, so that a conditional append was not made."""


def first_cause(error: BaseException) -> BaseException:
    """The first error inside groups of errors, which is what the reader has to know."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
