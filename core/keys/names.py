"""The keys that fumehood can use, what each is for and where to get it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyName:
    """A key by its name.

    Attributes:
        name: its name, which is also the environment variable that is looked at.
        provider: who gives it out.
        use: what it is for, in a few words.
        url: the page that gives it out.
    """

    name: str
    provider: str
    use: str
    url: str


ANTHROPIC = "ANTHROPIC_API_KEY"
GOOGLE = "GOOGLE_API_KEY"
MODAL_ID = "MODAL_TOKEN_ID"
MODAL_SECRET = "MODAL_TOKEN_SECRET"  # noqa: S105 - a name, not a secret
OPENALEX = "OPENALEX_API_KEY"

KEY_NAMES = {
    key.name: key
    for key in (
        KeyName(ANTHROPIC, "Anthropic", "Claude models", "https://console.anthropic.com/settings/keys"),
        KeyName(GOOGLE, "Google", "Gemini models", "https://aistudio.google.com/apikey"),
        KeyName(
            MODAL_ID, "Modal", "sandboxes on Modal (the token's id)", "https://modal.com/settings/tokens"
        ),
        KeyName(
            MODAL_SECRET,
            "Modal",
            "sandboxes on Modal (the token's secret)",
            "https://modal.com/settings/tokens",
        ),
        KeyName(OPENALEX, "OpenAlex", "literature search (optional)", "https://openalex.org/settings/api"),
    )
}
"""Every key by name, in the order in which they are shown."""
