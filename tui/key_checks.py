"""Checking a key with whoever gave it out; a token of Modal's is checked with both its halves."""

from __future__ import annotations

from collections.abc import Mapping

from core.config import read_settings
from core.errors import FumehoodError
from core.keys.asking import Verdict
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.secret import Secret
from core.models.key_check import PROVIDERS, check_key
from core.models.vendors import VENDORS
from core.sandbox.asking_modal import check_token
from core.sandbox.modal.account import Credentials

OTHER_HALF: Mapping[str, str] = {MODAL_ID: MODAL_SECRET, MODAL_SECRET: MODAL_ID}
"""The other half of a key that is one half of a token."""


async def verdict_on(name: str, key: Secret, other_half: Secret | None = None) -> Verdict:
    """Ask whoever gives a key out whether it is accepted. Costs nothing.

    Args:
        name: the key.
        key: its value.
        other_half: the other half of a token; None where it is missing, and for other keys.
    """
    if name in OTHER_HALF:
        other = OTHER_HALF[name]
        if other_half is None:
            return Verdict("not checked", f"{other} is missing, and Modal checks both together")
        halves = {name: key, other: other_half}
        return await check_token(Credentials(halves[MODAL_ID], halves[MODAL_SECRET]))
    provider = PROVIDERS.get(name)
    if provider is None:
        return await check_key(name, key, "")
    try:
        base_urls = read_settings().base_urls
    except FumehoodError:
        base_urls = {}
    return await check_key(name, key, base_urls.get(provider) or VENDORS[provider].url)


def is_blamed(name: str, verdict: Verdict) -> bool:
    """Whether a refusal says that this key is wrong.

    Of a token it says that the halves do not belong together: one after the other is how a new token
    takes the place of an old one, so that a half is kept all the same.
    """
    return verdict.state == "refused" and name not in OTHER_HALF


def set_the_other_half(name: str) -> str:
    """What to do where both halves of a token are there and do not belong together."""
    return f"If the token is a new one, set its other half, too: 'fumehood keys set {OTHER_HALF[name]}'"
