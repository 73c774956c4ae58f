"""``fumehood models``: which models there are, what they cost, and which can be used here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import click

from core.config import Settings, read_settings
from core.errors import ConfigError, FumehoodError
from core.keys.lookup import key_store
from core.keys.store import Search
from core.models.card import ModelCard
from core.models.catalog import KNOWN, USUAL, known_model
from core.models.choice import Choice, card_of, choice_of
from core.models.live import LiveModel
from core.models.vendors import VENDORS
from core.pricing import TokenPrices
from tui.exit_codes import ExitCode
from tui.safe_text import one_line
from tui.screen import Screen

NAME_COLUMNS = 24
LIVE_SECONDS = 30.0
"""How long a server may take to list its models."""


@dataclass(frozen=True)
class Row:
    """A model in the list.

    Attributes:
        choice: what its name means.
        card: what is known of it.
        gone: whether its vendor serves it no longer.
        live: whether its server says that it serves it; None where that was not asked.
    """

    choice: Choice
    card: ModelCard
    gone: bool = False
    live: bool | None = None


@dataclass(frozen=True)
class Server:
    """Where models are served.

    Attributes:
        choice: one of its models.
        live: what it says it serves; None where it was not asked, or did not answer.
        trouble: why it did not.
    """

    choice: Choice
    live: tuple[LiveModel, ...] | None = None
    trouble: FumehoodError | None = None


@click.command()
@click.option("--live", is_flag=True, help="Ask the servers which models they have now.")
@click.option("--json", "as_json", is_flag=True, help="One model per line, as JSON.")
def models(live: bool, as_json: bool) -> ExitCode:
    """List the models that can be named, their prices, and whether their keys are here.

    Any other id can be named, too: claude-… and gemini-… tell their vendor, other names are written as
    anthropic:NAME or google:NAME.
    """
    screen = Screen.of()
    settings = read_settings()
    names = dict.fromkeys((*settings.models, *(known.id for known in KNOWN)))
    choices = [choice_of(name, settings) for name in names]
    search, servers = asyncio.run(_look_around(choices, live=live))
    # A server of somebody else need not have what the vendor has: it is asked, or the user says.
    choices = [choice for choice in choices if choice.declared is not None or choice.by_vendor]
    today = datetime.now(UTC).date()
    rows = _rows(choices, servers, settings, today)
    if as_json:
        for row in rows:
            screen.line(json.dumps(_as_json(row, search)))
    else:
        for line in _lines(rows, servers, search, today, screen):
            screen.line(line)
    failed = [server for server in servers if server.trouble is not None]
    if as_json:
        for server in failed:
            Screen.of(sys.stderr).line(_trouble(server))
    return ExitCode.RUN_FAILED if live and len(failed) == len(servers) else ExitCode.DONE


async def _look_around(choices: Iterable[Choice], *, live: bool) -> tuple[Search, list[Server]]:
    """Look for keys, and ask every server that can be asked where that is wanted."""
    search = await key_store().search([vendor.key_name for vendor in VENDORS.values()])
    places = {(choice.vendor.provider, choice.base_url): Server(choice) for choice in choices}
    if not live:
        return search, list(places.values())
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_ask(server, search)) for server in places.values()]
    return search, [task.result() for task in asked]


async def _ask(server: Server, search: Search) -> Server:
    choice = server.choice
    found = search.found.get(choice.vendor.key_name) if choice.takes_key else None
    if found is None and choice.by_vendor:
        return Server(
            choice, trouble=FumehoodError(f"{choice.vendor.key_name} is missing", choice.vendor.key_next_step)
        )
    if choice.vendor.provider == "anthropic":
        from core.models.claude import list_models
    else:
        from core.models.gemini import list_models
    try:
        async with asyncio.timeout(LIVE_SECONDS):
            return Server(choice, await list_models(found.secret if found else None, choice.base_url))
    except FumehoodError as error:
        return Server(choice, trouble=error)
    except TimeoutError:
        return Server(choice, trouble=FumehoodError(f"no answer came within {LIVE_SECONDS:.0f} s"))


def _rows(choices: Iterable[Choice], servers: Iterable[Server], settings: Settings, today: date) -> list[Row]:
    """The models: those that were declared and known, then those that only their servers know."""
    listed = {
        (server.choice.vendor.provider, server.choice.base_url): {model.id: model for model in server.live}
        for server in servers
        if server.live is not None
    }
    rows = []
    for choice in choices:
        known = known_model(choice.vendor.provider, choice.id)
        ids = listed.get((choice.vendor.provider, choice.base_url))
        rows.append(
            Row(
                choice,
                card_of(choice, today),
                known is not None and known.gone and choice.by_vendor,
                None if ids is None else ids.pop(choice.id, None) is not None,
            )
        )
    for (provider, _), ids in listed.items():
        for model_id in ids:
            name = model_id if model_id.startswith(VENDORS[provider].prefixes) else f"{provider}:{model_id}"
            with contextlib.suppress(ConfigError):  # an id that no server can mean seriously
                choice = choice_of(name, settings)
                rows.append(Row(choice, card_of(choice, today), live=True))
    return rows


def _lines(
    rows: Sequence[Row], servers: Iterable[Server], search: Search, today: date, screen: Screen
) -> Iterable[str]:
    """The list for people: one part for every server."""
    heading = f"{'':2}{'':{NAME_COLUMNS}} {'context':>9}  {'in / out / cached':<20} thinking"
    yield screen.paint(heading, dim=True)
    for server in servers:
        place = (server.choice.vendor.provider, server.choice.base_url)
        yield from _server_lines(server, search, screen)
        if server.trouble is not None:
            yield f"  {_trouble(server)}"
        for row in rows:
            if (row.choice.vendor.provider, row.choice.base_url) == place:
                yield _line(row, screen)
    usual = " or ".join(f"{roles['model']} and {roles['researcher_model']}" for roles in USUAL.values())
    sources = dict.fromkeys(row.card.prices_as_of for row in rows if row.card.prices_as_of)
    yield ""
    yield f"USD per million tokens on {today} (UTC), from: {'; '.join(sources)}."
    yield f"Where no model is named: {usual}, by which key is here."


def _server_lines(server: Server, search: Search, screen: Screen) -> Iterable[str]:
    choice = server.choice
    vendor = choice.vendor
    found = search.found.get(vendor.key_name) if choice.takes_key else None
    if found is not None:
        key = f"{vendor.key_name} is here ({found.title})"
    elif not choice.by_vendor:
        key = "no key, and none may be needed"
    elif search.troubles:
        trouble = next(iter(search.troubles.values()))
        key = f"{vendor.key_name} was not found: {one_line(trouble.message)}"
    else:
        key = f"{vendor.key_name} is missing"
    title = vendor.title if choice.by_vendor else f"{vendor.provider} at {one_line(choice.base_url)}"
    yield f"{screen.paint(title, bold=True)}  {key}"
    if found is None and choice.by_vendor:
        yield f"  → {vendor.key_next_step}"


def _line(row: Row, screen: Screen) -> str:
    card = row.card
    name = one_line(row.choice.name)
    line = f"  {name:<{NAME_COLUMNS}} {card.context_tokens:>9,}  {price(card.prices):<20} {card.thinking:<8}"
    if notes := "; ".join(_notes(row)):
        line += f"  {screen.paint(notes, dim=True)}"
    return line.rstrip()


def _notes(row: Row) -> Iterable[str]:
    """What else has to be known of a model."""
    if row.gone:
        yield "no longer served"
    if row.live is not None:
        yield "served now" if row.live else "not in its server's list"
    if row.choice.declared is not None and row.choice.id != row.choice.name:
        yield f"is {one_line(row.choice.id)}"
    prices = row.card.prices
    if prices is not None and prices.long_above is not None and prices.long_above < row.card.context_tokens:
        yield f"{price(prices.long)} above {prices.long_above:,} tokens"
    for change in row.card.price_changes:
        yield f"{price(change.prices)} from {change.day}"


def price(prices: TokenPrices | None) -> str:
    """Prices in USD per million: ``4 / 20 / 0.2``, a question mark where unknown."""
    if prices is None:
        return "?"
    amounts = (prices.input, prices.output, prices.input if prices.cached is None else prices.cached)
    return " / ".join(f"{amount.normalize():f}" for amount in amounts)


def _trouble(server: Server) -> str:
    assert server.trouble is not None
    return f"{server.choice.base_url} was not asked or did not answer: {one_line(str(server.trouble), 400)}"


def _as_json(row: Row, search: Search) -> dict[str, Any]:
    card, choice = row.card, row.choice
    return {
        "model": choice.name,
        "id": choice.id,
        "provider": card.provider,
        "base_url": choice.base_url,
        "context_tokens": card.context_tokens,
        "max_output_tokens": card.max_output_tokens,
        "thinking": card.thinking,
        "usd_per_million": _prices_as_json(card.prices),
        "prices_as_of": card.prices_as_of,
        "price_changes": [
            {"from": str(change.day), "usd_per_million": _prices_as_json(change.prices)}
            for change in card.price_changes
        ],
        "declared": choice.declared is not None,
        "gone": row.gone,
        "live": row.live,
        "key": choice.vendor.key_name if choice.by_vendor else None,
        "usable": not choice.by_vendor or choice.vendor.key_name in search.found,
    }


def _prices_as_json(prices: TokenPrices | None) -> dict[str, Any] | None:
    if prices is None:
        return None
    amounts = {"input": prices.input, "output": prices.output, "cached": prices.cached}
    amounts["cache_written"] = prices.cache_written
    read: dict[str, Any] = {name: None if usd is None else str(usd) for name, usd in amounts.items()}
    if prices.long is not None:
        read |= {"long_above_tokens": prices.long_above, "long": _prices_as_json(prices.long)}
    return read
