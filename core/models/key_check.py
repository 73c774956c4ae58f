"""Whether a provider of models accepts a key, asked in a process of its own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from core.errors import FumehoodError, ModelBusy, ModelUnusable
from core.keys.asking import Acceptance, NoAnswer, Verdict, answer, ask
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


async def check_key(name: str, key: Secret, base_url: str) -> Verdict:
    """Ask a key's provider whether it accepts the key. Costs nothing.

    Args:
        name: the key's name.
        key: its value.
        base_url: where the provider is asked.
    """
    if name not in PROVIDERS:
        return Verdict("not checked", f"{KEY_NAMES[name].provider} is asked when the key is first used")
    question = {"name": name, "key": key.reveal(), "base_url": base_url}
    try:
        answered = await ask("core.models.key_check", question, CHECK_SECONDS)
    except TimeoutError:
        return Verdict("not checked", f"no answer came within {CHECK_SECONDS:.0f} s")
    except NoAnswer:
        return Verdict("not checked", "the check ended without a word")
    return Verdict(cast("Acceptance", answered["state"]), redacted(answered["reason"]))


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


async def _reply(asked: Mapping[str, Any]) -> Mapping[str, str]:
    verdict = await _verdict(asked)
    return {"state": verdict.state, "reason": verdict.reason}


if __name__ == "__main__":
    answer(_reply)
