"""Whether a provider accepts a key, asked in a process of its own.

A process, because the console never imports a provider's client, and because a question to a network
has to end. The key goes over its stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from core.errors import FumehoodError, ModelBusy, ModelUnusable
from core.keys.hardening import harden
from core.keys.names import ANTHROPIC, GOOGLE, KEY_NAMES
from core.keys.redaction import redacted
from core.keys.secret import Secret
from core.models.card import Provider

CHECK_SECONDS = 20.0
"""How long a check may take, its process's start included."""

PROVIDERS: Mapping[str, Provider] = {ANTHROPIC: "anthropic", GOOGLE: "google"}
"""Keys that can be checked, and whose they are."""

MODULES: Mapping[Provider, str] = {"anthropic": "core.models.claude", "google": "core.models.gemini"}
"""Where each is checked; imported by name, because each imports its provider's own client."""

PASSED_ON = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"})
PASSED_ON_PREFIXES = ("LC_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")

State = Literal["works", "refused", "not checked"]


@dataclass(frozen=True)
class Verdict:
    """What came of checking a key.

    Attributes:
        state: ``not checked`` where the provider could not be asked.
        reason: why it is refused or not checked; empty where it works.
    """

    state: State
    reason: str = ""


async def check_key(name: str, key: Secret, base_url: str) -> Verdict:
    """Ask a key's provider whether it accepts the key. Costs nothing.

    Args:
        name: the key's name.
        key: its value.
        base_url: where the provider is asked.
    """
    if name not in PROVIDERS:
        return Verdict("not checked", f"{KEY_NAMES[name].provider} is asked when the key is first used")
    asked = json.dumps({"name": name, "key": key.reveal(), "base_url": base_url}).encode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "core.models.key_check"),
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
        async with asyncio.timeout(CHECK_SECONDS):
            said, _ = await process.communicate(asked)
    except TimeoutError:
        return Verdict("not checked", f"no answer came within {CHECK_SECONDS:.0f} s")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())
    try:
        answered: dict[str, str] = json.loads(said)
    except ValueError:
        return Verdict("not checked", "the check ended without a word")
    return Verdict(cast("State", answered["state"]), redacted(answered["reason"]))


async def _verdict(asked: Mapping[str, Any]) -> Verdict:
    key = Secret(asked["key"])
    try:
        module: Any = importlib.import_module(MODULES[PROVIDERS[asked["name"]]])
        await module.check_key(key, asked["base_url"])
    except ModelBusy as error:
        return Verdict("not checked", redacted(error.message))
    except ModelUnusable as error:
        return Verdict("refused", redacted(error.message))
    except FumehoodError as error:
        return Verdict("not checked", redacted(error.message))
    return Verdict("works")


def _main() -> None:
    harden()
    verdict = asyncio.run(_verdict(json.load(sys.stdin)))
    sys.stdout.write(json.dumps({"state": verdict.state, "reason": verdict.reason}))


if __name__ == "__main__":
    _main()
