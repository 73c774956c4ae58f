"""The two vendors whose models fumehood knows: where they are asked, and which key opens the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.keys.names import ANTHROPIC, GOOGLE
from core.models.card import Provider


@dataclass(frozen=True)
class Vendor:
    """Who stands behind a provider's API.

    Attributes:
        provider: the API.
        title: what people call its models.
        url: where it is asked; always named to its client, so that no variable of the environment decides.
        key_name: the key that it wants.
        key_from: where people get one.
        prefixes: what the ids of its models begin with.
    """

    provider: Provider
    title: str
    url: str
    key_name: str
    key_from: str
    prefixes: tuple[str, ...]

    @property
    def key_next_step(self) -> str:
        """How its key gets here."""
        return f"Get one at {self.key_from}, then: 'fumehood keys set {self.key_name}'."

    def serves(self, base_url: str) -> bool:
        """Whether the vendor itself is asked there, and nobody else."""
        try:
            return urlsplit(base_url).hostname == urlsplit(self.url).hostname
        except ValueError:
            return False


VENDORS: Mapping[Provider, Vendor] = {
    "anthropic": Vendor(
        provider="anthropic",
        title="Claude",
        url="https://api.anthropic.com",
        key_name=ANTHROPIC,
        key_from='console.anthropic.com ("API keys")',
        prefixes=("claude-",),
    ),
    "google": Vendor(
        provider="google",
        title="Gemini",
        url="https://generativelanguage.googleapis.com",
        key_name=GOOGLE,
        key_from='aistudio.google.com ("Get API key")',
        prefixes=("gemini-",),
    ),
}


def vendor_of(model_id: str) -> Vendor | None:
    """The vendor that gives its models such ids; None where it is neither."""
    return next((vendor for vendor in VENDORS.values() if model_id.startswith(vendor.prefixes)), None)
