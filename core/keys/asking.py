"""Asking a provider something with a key, in a process of its own.

A process, because the console never imports a provider's client, and because a question to a network
has to end. Keys go over its stdin: nobody else can read them there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.ending import end
from core.keys.hardening import harden

PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    | {"MODAL_SERVER_URL", "MODAL_DISABLE_API_PROXY"}  # the way to Modal; its token is in neither
)
PASSED_ON_PREFIXES = ("LC_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
"""What the process gets of our environment."""

Acceptance: TypeAlias = Literal["works", "refused", "not checked"]


@dataclass(frozen=True)
class Verdict:
    """What came of checking a key.

    Attributes:
        state: ``not checked`` where the provider could not be asked.
        reason: why it is refused or not checked; empty where it works.
    """

    state: Acceptance
    reason: str = ""


class NoAnswer(Exception):
    """The process ended without an answer."""


async def ask(module: str, question: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Have a module answer a question in a process of its own.

    Args:
        module: one that calls ``answer`` when it is run.
        question: what JSON can hold; keys are in it.
        seconds: how long it may take, the start of the process included, in seconds.

    Raises:
        TimeoutError: no answer came in time; the process is ended.
        NoAnswer: the process ended without one.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={
            variable: value
            for variable, value in os.environ.items()
            if variable in PASSED_ON or variable.upper().startswith(PASSED_ON_PREFIXES)
        },
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate(json.dumps(question).encode())
    finally:
        await end(process)
    try:
        answered: dict[str, Any] = json.loads(said)
    except ValueError:
        raise NoAnswer from None
    return answered


def answer(reply: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]) -> None:
    """Answer the one question that this process was started for.

    Args:
        reply: gives what JSON can hold.
    """
    harden()

    async def replied() -> Mapping[str, Any]:
        return await reply(json.load(sys.stdin))

    sys.stdout.write(json.dumps(asyncio.run(replied())))
