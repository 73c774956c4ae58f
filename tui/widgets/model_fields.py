"""Fields for the language models of a run: typed with suggestions, and shown with their prices."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from core.config import Settings
from core.models.catalog import KNOWN, Role
from core.models.choice import is_scripted, prices_of
from core.pricing import TokenPrices
from tui.model_choice import ROLES, named_models, usual_models
from tui.safe_text import one_line
from tui.widgets.fields import OneLine

LABELS: Mapping[Role, str] = {"model": "Model", "researcher_model": "Researchers", "writer_model": "Writer"}
UNKNOWN_PRICE = "price unknown: launches are never approved by a policy"
LOOKED_FOR = "looking for your keys …"


class ModelFields(Vertical):
    """A field for the model of each role.

    Args:
        settings: the user's; what they name is used where nothing is typed.
    """

    DEFAULT_CSS: ClassVar[str] = """
    ModelFields { height: auto; }
    ModelFields Input { width: 28; }
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._keys: frozenset[str] | None = None
        self._priced = False

    def compose(self) -> ComposeResult:
        """The rows."""
        names = [*self._settings.models, *(known.id for known in KNOWN if not known.gone)]
        for role, label in LABELS.items():
            field = OneLine(id=role, compact=True, suggester=SuggestFromList(names, case_sensitive=False))
            yield Horizontal(
                Static(Content(label), classes="label"), field, Static(classes="hint"), classes="row"
            )

    def on_mount(self) -> None:
        """Make prices ready, off the loop: reading them for the first time takes longer than a key press."""
        self.look()
        self._make_prices_ready()

    @work
    async def _make_prices_ready(self) -> None:
        await asyncio.to_thread(prices_of, KNOWN[0].id, self._settings)
        self._priced = True
        self.look()

    def found(self, keys: frozenset[str]) -> None:
        """Take in which keys are there."""
        self._keys = keys
        self.look()

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, by role."""
        return {role: self.query_one(f"#{role}", Input).value for role in ROLES}

    def look(self) -> None:
        """Show what is used where nothing is typed, and what each model costs."""
        typed: dict[Role, str | None] = {
            role: self.query_one(f"#{role}", Input).value.strip() or None for role in ROLES
        }
        named = named_models(typed, self._settings)
        usual = usual_models(self._keys or ()) or {}
        for role, name in named.items():
            name = name or usual.get(role)
            field = self.query_one(f"#{role}", Input)
            field.placeholder = one_line(name or "")
            row = field.parent
            assert row is not None
            row.query_one(".hint", Static).update(Content(self._words(name)))

    def _words(self, name: str | None) -> str:
        if name is None:
            return LOOKED_FOR if self._keys is None else ""
        if is_scripted(name) or not self._priced:
            return ""
        return price_words(prices_of(name, self._settings))


def price_words(prices: TokenPrices | None) -> str:
    """What a model costs, for people."""
    if prices is None:
        return UNKNOWN_PRICE
    if prices.input == prices.output == 0:
        return "free"
    return f"${prices.input.normalize():f} in, ${prices.output.normalize():f} out per million tokens"
