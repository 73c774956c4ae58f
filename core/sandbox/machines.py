"""Which machines each provider has, judged before anything is approved, and what they are called."""

from __future__ import annotations

from core.errors import ConfigError, SandboxUnavailable
from core.experiment import Compute
from core.keys.names import KEY_NAMES
from core.sandbox.modal import gpus
from core.sandbox.modal.images import DEFAULT_PACKAGES

LOCAL, MODAL = "local", "modal"


def checked_machine(provider: str, compute: Compute) -> Compute:
    """A machine as a provider has it, with its GPU by the provider's own name.

    Args:
        provider: ``local`` or ``modal``.
        compute: as it was asked for.

    Raises:
        SandboxUnavailable: the provider has no such machine.
    """
    if provider == MODAL:
        if compute.gpu is None:
            return compute
        return compute.model_copy(update={"gpu": gpus.gpu_name(compute.gpu)})
    if compute.gpu is not None:
        raise SandboxUnavailable(
            f"The local sandbox has no GPU, and {compute.gpu} was asked for",
            "Use the sandbox modal, or leave the GPU out",
        )
    if compute.network == "allowed":
        raise SandboxUnavailable(
            f"The local sandbox cannot tell domains apart, and {compute.network_in_words} was asked for",
            "Use the sandbox modal, block the network, or ask for all of it (network: open)",
        )
    return compute


def modal_token_missing(name: str) -> ConfigError:
    """That a half of Modal's token is missing, and how that is mended."""
    return ConfigError(
        f"{name} is missing, which the sandbox modal needs",
        f"Get a token at {KEY_NAMES[name].url}, then: 'fumehood keys set {name}'.",
    )


def gpu_in_words(provider: str, gpu: str | None) -> str:
    """A GPU for whoever decides about it, with what its name may turn out to be."""
    if gpu is None:
        return "no GPU"
    try:
        return gpus.offer_in_words(gpu) if provider == MODAL else f"1 × {gpu}"
    except SandboxUnavailable:  # a run of another fumehood, that is only looked at
        return gpu


def usual_packages(provider: str) -> tuple[str, ...]:
    """What a sandbox has where an experiment names no packages; nothing beyond Python where that is empty."""
    return DEFAULT_PACKAGES if provider == MODAL else ()


def gpus_in_words(provider: str) -> str:
    """The GPUs of a provider, for people."""
    if provider != MODAL:
        return "none: the sandbox is this machine"
    return f"{', '.join(gpus.KNOWN)}, each also as NAME:2 and so on, or {gpus.ANY} for the cheapest with room"
