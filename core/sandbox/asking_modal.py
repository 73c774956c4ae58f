"""Asking Modal from a process that never imports its SDK: what of ours is there, what it cost, ending it.

Each question is answered in a process of its own, in bounded time. Only what carries our tags, or
the name of a run's volume, is ever listed, ended or removed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from core.errors import SandboxError, SandboxFault, SandboxLost, SandboxUnavailable
from core.keys.asking import NoAnswer, Verdict, answer, ask
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.redaction import redacted
from core.keys.secret import Secret
from core.sandbox.base import OpenSandbox
from core.sandbox.modal import volumes
from core.sandbox.modal.account import Account, Credentials
from core.sandbox.modal.provider import ModalProvider

CHECK_SECONDS = 10.0
"""How long checking a token may take, the start of its process included."""

LIST_SECONDS = 40.0
"""How long listing may take: logging in, and a look inside each."""

END_SECONDS = 60.0
"""How long ending may take; Modal is asked again and again meanwhile."""

BILLS_SECONDS = 40.0
"""How long asking what sandboxes cost may take: logging in, and a question for each, all at once."""

BILL_SECONDS = 10.0
"""How long one of those questions may take."""

VOLUMES_SECONDS = 40.0
"""How long finding or removing a run's volumes may take: logging in, and two questions for each."""

PATIENCE_SECONDS = 10.0
"""How long to go on asking about a sandbox of which nothing is heard."""

CHECK_NETWORK = "Check the network, and status.modal.com"

Answer: TypeAlias = dict[str, Any]


async def list_sandboxes(
    credentials: Credentials, run_id: str | None = None, *, inside: bool = True
) -> list[OpenSandbox]:
    """Every sandbox of ours that is still there, whoever opened it.

    Args:
        credentials: the workspace's token.
        run_id: only those of this run; None for all of the workspace.
        inside: whether to look inside for what runs, see ``ModalProvider.list``.

    Raises:
        SandboxUnavailable: Modal does not accept the token, or does not say.
    """
    question = {"do": "list", "run_id": run_id, "inside": inside}
    answered = await _ask(credentials, question, LIST_SECONDS)
    return [_read(fields) for fields in answered["sandboxes"]]


async def end_sandboxes(credentials: Credentials, sandbox_ids: Sequence[str]) -> dict[str, SandboxError]:
    """End sandboxes of ours, whatever runs in them; what has ended already needs no end.

    Args:
        credentials: the workspace's token.
        sandbox_ids: Modal's ids.

    Returns:
        Why each that may still be there could not be ended.

    Raises:
        SandboxUnavailable: Modal does not accept the token, or does not answer; all may still be there.
    """
    answered = await _ask(credentials, {"do": "end", "ids": list(sandbox_ids)}, END_SECONDS)
    return {name: _error(fields) for name, fields in answered["left"].items()}


async def ask_bills(credentials: Credentials, sandbox_ids: Sequence[str]) -> dict[str, Decimal]:
    """What Modal says that sandboxes have cost, USD, by their ids; where it does not say, there is none.

    Args:
        credentials: the workspace's token.
        sandbox_ids: Modal's ids.

    Raises:
        SandboxUnavailable: Modal does not accept the token, or does not answer.
    """
    answered = await _ask(credentials, {"do": "bills", "ids": list(sandbox_ids)}, BILLS_SECONDS)
    return {name: Decimal(cost) for name, cost in answered["bills"].items()}


async def list_volumes(credentials: Credentials, run_id: str) -> list[str]:
    """The names of a run's volumes that are there.

    Args:
        credentials: the workspace's token.
        run_id: the run.

    Raises:
        SandboxUnavailable: Modal does not accept the token, or does not say.
    """
    answered = await _ask(credentials, {"do": "list volumes", "run_id": run_id}, VOLUMES_SECONDS)
    names: list[str] = answered["volumes"]
    return names


async def remove_volumes(credentials: Credentials, run_id: str) -> None:
    """Remove a run's volumes with everything in them; which ones those are follows from its id alone.

    Args:
        credentials: the workspace's token.
        run_id: the run.

    Raises:
        SandboxUnavailable: Modal does not accept the token, or does not do it; they may still be there.
    """
    await _ask(credentials, {"do": "remove volumes", "run_id": run_id}, VOLUMES_SECONDS)


async def check_token(credentials: Credentials) -> Verdict:
    """Ask Modal whether it accepts a token, both halves together. Costs nothing, and makes nothing there.

    Args:
        credentials: the token.
    """
    try:
        await _ask(credentials, {"do": "check"}, CHECK_SECONDS)
    except SandboxUnavailable as error:
        if error.fault == "refused":
            return Verdict("refused", f"Modal does not accept this {MODAL_ID} with this {MODAL_SECRET}")
        return Verdict("not checked", error.message)
    return Verdict("works")


async def _ask(credentials: Credentials, question: Answer, seconds: float) -> Answer:
    """Have a question answered in a process of its own.

    Raises:
        SandboxUnavailable: Modal does not accept the token, or does not answer.
    """
    token = [credentials.token_id.reveal(), credentials.token_secret.reveal()]
    try:
        answered = await ask("core.sandbox.asking_modal", question | {"token": token}, seconds)
    except TimeoutError:
        raise SandboxUnavailable(
            f"Modal does not answer within {seconds:.0f} s", CHECK_NETWORK, "unreachable"
        ) from None
    except NoAnswer:
        raise SandboxUnavailable(
            "The question to Modal ended without a word", "Try again", "unreachable"
        ) from None
    if "error" in answered:
        error = _error(answered["error"])
        next_step = CHECK_NETWORK if error.fault == "unreachable" else error.next_step
        raise SandboxUnavailable(error.message, next_step, error.fault)
    return answered


async def _reply(question: Mapping[str, Any]) -> Answer:
    """The child's side: the answer, or why there is none."""
    credentials = Credentials(*map(Secret, question["token"]))
    try:
        if question["do"] == "check":
            await Account(credentials).hello()
            return {}
        provider = ModalProvider(credentials, patience_seconds=PATIENCE_SECONDS)
        try:
            if question["do"] == "list":
                found = await provider.list(question["run_id"], inside=question["inside"])
                return {"sandboxes": [_written(sandbox) for sandbox in found]}
            connection = await provider.account.connect()
            if question["do"] == "bills":
                return {"bills": await _bills(provider, question["ids"])}
            if question["do"] == "list volumes":
                return {"volumes": await volumes.list_volumes(connection, question["run_id"])}
            if question["do"] == "remove volumes":
                await volumes.remove_volumes(connection, question["run_id"])
                return {}
            return {"left": await _left(provider, question["ids"])}
        finally:
            await provider.close()
    except SandboxError as error:
        return {"error": _said(error)}


async def _bills(provider: ModalProvider, sandbox_ids: Sequence[str]) -> Answer:
    """What sandboxes cost, as far as Modal says it in time."""

    async def bill(sandbox_id: str) -> Decimal | None:
        try:
            async with asyncio.timeout(BILL_SECONDS):
                return await provider.billed(sandbox_id)
        except TimeoutError:
            return None

    costs = await asyncio.gather(*map(bill, sandbox_ids))
    return {name: str(cost) for name, cost in zip(sandbox_ids, costs, strict=True) if cost is not None}


async def _left(provider: ModalProvider, sandbox_ids: Sequence[str]) -> Answer:
    """End sandboxes; what may still be there, and why."""

    async def end(sandbox_id: str) -> SandboxError | None:
        try:
            await provider.end(sandbox_id)
        except SandboxError as error:
            return None if error.fault == "ended" else error
        return None

    errors = await asyncio.gather(*map(end, sandbox_ids))
    return {name: _said(error) for name, error in zip(sandbox_ids, errors, strict=True) if error is not None}


def _said(error: SandboxError) -> Answer:
    return {"message": redacted(error.message), "next_step": redacted(error.next_step), "fault": error.fault}


def _error(fields: Mapping[str, Any]) -> SandboxError:
    fault: SandboxFault = fields["fault"]
    return SandboxLost(redacted(fields["message"]), redacted(fields["next_step"]), fault)


def _written(sandbox: OpenSandbox) -> Answer:
    return {
        "id": sandbox.id,
        "name": sandbox.name,
        "run_id": sandbox.run_id,
        "running": sandbox.running,
        "usd_per_hour": None if sandbox.usd_per_hour is None else str(sandbox.usd_per_hour),
        "gpu": sandbox.gpu,
        "opened_at": sandbox.opened_at.isoformat() if sandbox.opened_at else None,
    }


def _read(fields: Mapping[str, Any]) -> OpenSandbox:
    price, opened_at, running = fields["usd_per_hour"], fields["opened_at"], fields["running"]
    return OpenSandbox(
        id=fields["id"],
        name=fields["name"],
        run_id=fields["run_id"],
        running=None if running is None else tuple(running),
        usd_per_hour=None if price is None else Decimal(price),
        gpu=fields["gpu"],
        opened_at=datetime.fromisoformat(opened_at) if opened_at else None,
    )


if __name__ == "__main__":
    answer(_reply)
