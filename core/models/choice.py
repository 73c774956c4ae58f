"""Which model a name means, where it is served, and what a run's money is counted with.

A name is ``scripted:…``, a model that the settings declare, ``anthropic:ID`` or ``google:ID``, or an id
that tells its vendor, such as ``claude-opus-5-5``. Everything is decided by what is written in the run's
settings and by the catalogue; variables that the vendors' own clients read have no say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import TypeAlias
from urllib.parse import urlsplit

from core.config import DeclaredModel, RunSettings, Settings
from core.errors import ConfigError, KeysError
from core.keys.lookup import find_key
from core.keys.secret import Secret
from core.models.base import Model
from core.models.card import ModelCard
from core.models.catalog import KNOWN, assumed_model, known_model
from core.models.prices import Prices, prices_on
from core.models.vendors import VENDORS, Vendor, vendor_of
from core.pricing import FREE, TokenPrices

SCRIPTED = "scripted:"

LIST_KNOWN = "'fumehood models' lists what is known."

FindKey: TypeAlias = Callable[[str], Secret | None]
"""Gives a key by its name, such as ``ANTHROPIC_API_KEY``; None where there is none."""

Declarations: TypeAlias = Settings | RunSettings
"""Either has ``models`` and ``base_urls``; which model has which role is not asked of it."""

MODEL_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_:/@+~-]|\.(?!\.)){0,199}")
"""What servers call their models. An id becomes part of an address, so nothing in it may lead elsewhere."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Choice:
    """What a name means.

    Attributes:
        name: as people type it.
        id: what its server calls the model.
        vendor: whose API it speaks.
        base_url: where it is served.
        declared: what the user said of it; None for nothing.
    """

    name: str
    id: str
    vendor: Vendor
    base_url: str
    declared: DeclaredModel | None = None

    @property
    def by_vendor(self) -> bool:
        """Whether the vendor itself serves it: then it needs a key, and costs what the vendor charges."""
        return self.vendor.serves(self.base_url)

    @property
    def takes_key(self) -> bool:
        """Whether its server may be told a key: never in clear over a network."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "https" or parts.hostname in LOOPBACK


def choice_of(name: str, settings: Declarations) -> Choice:
    """What a name means.

    Raises:
        ConfigError: it means no language model, or one that is not asked over https by its vendor.
    """
    declared = settings.models.get(name)
    if declared is not None:
        vendor, model_id = VENDORS[declared.provider], declared.id or _without_provider(name)
    else:
        vendor, model_id = _told_by(name)
    if MODEL_ID.fullmatch(model_id) is None:
        raise ConfigError(
            f"{name[:80]!r} cannot be a model: ids are of letters, digits and . _ : / @ + ~ -, without '..'",
            LIST_KNOWN,
        )
    base_url = (declared.base_url if declared else None) or settings.base_urls.get(vendor.provider)
    choice = Choice(name, model_id, vendor, base_url or vendor.url, declared)
    if choice.by_vendor and not choice.takes_key:
        raise ConfigError(
            f"{choice.base_url} would be told its key in clear", f"Use {vendor.url}, or name no base URL."
        )
    return choice


def card_of(choice: Choice, day: date | None = None) -> ModelCard:
    """What has to be known of a model to use it.

    Args:
        choice: the model.
        day: on which its prices hold, in UTC; None for today.
    """
    provider, declared = choice.vendor.provider, choice.declared or DeclaredModel(provider="anthropic")
    known = known_model(provider, choice.id)
    model = known or assumed_model(provider, choice.id, by_vendor=choice.by_vendor)
    prices = _prices(choice, day or datetime.now(UTC).date())
    context_tokens = declared.context_tokens or model.context_tokens
    return ModelCard(
        id=choice.id,
        provider=provider,
        context_tokens=context_tokens,
        # What nobody named must leave room to read: a small model writes at most half of what it holds.
        max_output_tokens=declared.max_output_tokens or min(model.max_output_tokens, context_tokens // 2),
        thinking=declared.thinking or model.thinking,
        prices=prices.today,
        prices_as_of=prices.as_of,
        price_changes=prices.changes,
    )


async def keys_for(names: Iterable[str], settings: Declarations) -> dict[str, Secret]:
    """Look for the keys that the servers of these models are told, by the name of the key.

    Args:
        names: of models; those of scripted ones need no key.
        settings: where they are declared.

    Raises:
        ConfigError: a name means no language model, or the key of a vendor that is asked is missing.
        KeysError: that key is missing, and a place that may have it cannot be read.
    """
    keys: dict[str, Secret] = {}
    for choice in (choice_of(name, settings) for name in names if not is_scripted(name)):
        name = choice.vendor.key_name
        if name in keys or not choice.takes_key:
            continue
        try:
            key = await find_key(name)
        except KeysError:
            if choice.by_vendor:
                raise
            continue  # a server that is not the vendor's may well want none
        if key is not None:
            keys[name] = key
        elif choice.by_vendor:
            raise key_missing(choice)
    return keys


def key_missing(choice: Choice) -> ConfigError:
    """That a model cannot be used for want of its vendor's key, and how that is mended."""
    vendor = choice.vendor
    return ConfigError(f"{vendor.key_name} is missing, which {choice.name} needs", vendor.key_next_step)


def model_for(name: str, settings: RunSettings, find: FindKey) -> Model:
    """The model that a name means, ready to think. Only the client of its provider is imported.

    Args:
        name: the name; not that of a scripted model.
        settings: the run's.
        find: where keys come from.

    Raises:
        ConfigError: the name means no language model, or a key is missing.
    """
    choice = choice_of(name, settings)
    key = find(choice.vendor.key_name) if choice.takes_key else None
    if key is None and choice.by_vendor:
        raise key_missing(choice)
    card = card_of(choice)
    if choice.vendor.provider == "anthropic":
        from core.models.claude import ClaudeModel

        return ClaudeModel(card, key, choice.base_url)
    from core.models.gemini import GeminiModel

    return GeminiModel(card, key, choice.base_url)


def is_scripted(name: str) -> bool:
    """Whether a name is that of a model that reads its turns from a file."""
    return name.startswith(SCRIPTED)


def declared_for(names: set[str], settings: Settings) -> dict[str, DeclaredModel]:
    """Of the models that the user declared, those of these names, as a run keeps them."""
    return {
        name: DeclaredModel.model_validate(model.model_dump())
        for name, model in settings.models.items()
        if name in names
    }


def prices_of(name: str, settings: Declarations) -> TokenPrices | None:
    """What tokens of this model cost today; None where unknown."""
    if is_scripted(name):
        return FREE
    try:
        return _prices(choice_of(name, settings), datetime.now(UTC).date()).today
    except ConfigError:  # a run of another fumehood, that is only looked at
        return None


def _told_by(name: str) -> tuple[Vendor, str]:
    """The vendor and the id that a name itself tells."""
    before, colon, after = name.partition(":")
    if colon and before in VENDORS and after:
        return VENDORS["anthropic" if before == "anthropic" else "google"], after
    if (vendor := vendor_of(name)) is not None:
        return vendor, name
    like = get_close_matches(name, [known.id for known in KNOWN], n=1)
    raise ConfigError(
        f"there is no model {name!r}",
        f"Do you mean {like[0]}? {LIST_KNOWN}"
        if like
        else "Name a claude-… or gemini-… model, or say whose API it speaks, as in anthropic:NAME."
        f" {LIST_KNOWN}",
    )


def _without_provider(name: str) -> str:
    before, colon, after = name.partition(":")
    return after if colon and before in VENDORS and after else name


def _prices(choice: Choice, day: date) -> Prices:
    """What its tokens cost: as declared, or as the vendor charges where the vendor serves it."""
    declared = choice.declared
    if declared is not None and declared.free:
        return Prices(FREE, "declared free")
    if declared is not None and declared.prices is not None:
        said = declared.prices
        return Prices(TokenPrices(said.input, said.output, said.cached, said.cache_written), "declared")
    if not choice.by_vendor:
        return Prices()
    return prices_on(choice.vendor.provider, choice.id, day)
