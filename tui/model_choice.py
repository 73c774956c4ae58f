"""Choosing who thinks in a run: a model for each role, and where each is served."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from core.config import Provider, Settings, checked_base_url
from core.errors import ConfigError
from core.models.catalog import USUAL, Role
from core.models.choice import choice_of, is_scripted
from core.models.vendors import VENDORS
from tui.script_choice import Script, script_of

ROLES: Mapping[Role, str] = {
    "model": "orchestrator",
    "researcher_model": "researchers",
    "writer_model": "writer",
}
"""Every role, and who has it."""


@dataclass(frozen=True)
class ChosenModels:
    """Who thinks in a run.

    Attributes:
        names: the model of every role.
        script: what they play where they are scripted; None for language models.
    """

    names: Mapping[Role, str]
    script: Script | None = None

    @classmethod
    def playing(cls, script: Script) -> ChosenModels:
        """One script plays every role."""
        return cls(dict.fromkeys(ROLES, script.name), script)


def chosen_models(
    typed: Mapping[Role, str | None], settings: Settings, keys: Collection[str] | None = None
) -> ChosenModels:
    """The model of every role: as typed, else as in the settings, else the usual ones.

    Args:
        typed: models by role; that of the orchestrator goes for every role that has none of its own.
        settings: the user's.
        keys: names of the keys that are there; None where nobody looked, and nothing usual is chosen.

    Raises:
        ConfigError: no model is named and none can be chosen, or a name means no model.
        InputError: there is neither a shipped study nor a path of that name.
        TrajectoryError: a script cannot be read.
    """
    names = named_models(typed, settings)
    if None in names.values():
        usual = usual_models(keys or ())
        if usual is None:
            raise no_model()
        names = {role: name or usual[role] for role, name in names.items()}
    return _checked({role: name for role, name in names.items() if name}, settings)


def named_models(typed: Mapping[Role, str | None], settings: Settings) -> dict[Role, str | None]:
    """The model of every role that somebody named; None where nobody did."""
    common = typed.get("model")
    return {
        role: typed.get(role) or common or cast("str | None", getattr(settings, role)) or settings.model
        for role in ROLES
    }


def usual_models(keys: Collection[str]) -> Mapping[Role, str] | None:
    """Who thinks where nobody is named: models of the first vendor whose key is there."""
    return next((USUAL[vendor.provider] for vendor in VENDORS.values() if vendor.key_name in keys), None)


def no_model() -> ConfigError:
    """That there is nobody to think, and how that is mended."""
    names = " nor ".join(vendor.key_name for vendor in VENDORS.values())
    places = " or ".join(vendor.key_from for vendor in VENDORS.values())
    return ConfigError(
        f"no model is named, and neither {names} is there",
        f"Get a key at {places}, then: 'fumehood keys set NAME'. 'fumehood demo' needs none.",
    )


def with_base_urls(settings: Settings, typed: Sequence[str], models: ChosenModels) -> Settings:
    """The settings, with models served where ``--base-url`` says.

    Args:
        settings: the user's.
        typed: ``URL`` where all models are of one provider, or ``PROVIDER=URL``.
        models: who thinks.

    Raises:
        ConfigError: an address cannot be used, or it does not say whose models are meant.
    """
    if not typed:
        return settings
    if models.script is not None:
        raise ConfigError("scripted models are asked nowhere", "Leave --base-url out.")
    choices = [choice_of(name, settings) for name in models.names.values()]
    providers = {choice.vendor.provider for choice in choices}
    found = dict(_base_url(text, providers) for text in typed)
    for choice in choices:
        if choice.vendor.provider in found and choice.declared and choice.declared.base_url:
            raise ConfigError(
                f"the settings say where {choice.name} is served: {choice.declared.base_url}",
                "Leave --base-url out, or change it there.",
            )
    return settings.model_copy(update={"base_urls": {**settings.base_urls, **found}})


def _base_url(text: str, providers: set[Provider]) -> tuple[Provider, str]:
    name, equals, url = text.partition("=")
    provider = next((one for one in VENDORS if equals and one == name.strip()), None)
    try:
        if provider is not None:
            return provider, checked_base_url(url)
        url = checked_base_url(text)
    except ValueError as error:
        raise ConfigError(str(error), "Like --base-url anthropic=http://localhost:11434.") from None
    if len(providers) > 1:
        raise ConfigError(
            f"--base-url {url} does not say whose models are served there",
            f"Like --base-url {min(providers)}={url}.",
        )
    return min(providers), url


def _checked(names: Mapping[Role, str], settings: Settings) -> ChosenModels:
    """The models as a run can have them: all of one script, or language models that are known by name."""
    model = names["model"]
    if not any(map(is_scripted, names.values())):
        for name in names.values():
            choice_of(name, settings)
        return ChosenModels(names)
    for role, name in names.items():
        if name != model:
            raise ConfigError(
                f"the {role.replace('_', ' ')} cannot be {name!r}: one script plays all agents of a run",
                "Name one script for every role, or none.",
            )
    return ChosenModels.playing(script_of(model))
