"""What a provider itself says about the models it serves now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LiveModel:
    """A model in a provider's own list.

    Attributes:
        id: what it is asked for by.
        title: what the provider calls it for people; empty where it gives no other name.
        context_tokens: the most that it can read in one turn; None where the provider does not say.
        max_output_tokens: the most that it can write in one turn; None where the provider does not say.
    """

    id: str
    title: str = ""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
