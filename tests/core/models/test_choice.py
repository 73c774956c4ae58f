"""Which model a name means: decided by what is written down, never by a vendor's own variables."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.config import DeclaredModel, DeclaredPrices, RunSettings
from core.errors import ConfigError, KeysLocked
from core.keys.lookup import use_key_store
from core.keys.secret import Secret
from core.models.card import PriceChange
from core.models.choice import FindKey, card_of, choice_of, keys_for, model_for, prices_of
from core.pricing import FREE
from tests.fakes.keys import NoKeyring, keys_in_environment

CLAUDE, GEMINI = "https://api.anthropic.com", "https://generativelanguage.googleapis.com"
LOCAL = "http://localhost:11434"


def settings(**changes: Any) -> RunSettings:
    """Settings of a run."""
    usual: dict[str, Any] = dict.fromkeys(("model", "researcher_model", "writer_model"), "claude-opus-5-5")
    return RunSettings(**(usual | changes))


def declared(**fields: Any) -> RunSettings:
    """Settings of a run that declare the model ``mine``."""
    return settings(models={"mine": DeclaredModel(**({"provider": "anthropic"} | fields))})


@pytest.mark.parametrize(
    ("name", "model_id", "provider", "base_url"),
    [
        ("claude-opus-4-5", "claude-opus-4-5", "anthropic", CLAUDE),
        ("gemini-3-pro-preview", "gemini-3-pro-preview", "google", GEMINI),
        ("claude-of-next-year", "claude-of-next-year", "anthropic", CLAUDE),
        ("anthropic:claude-opus-5-5", "claude-opus-5-5", "anthropic", CLAUDE),
        ("google:gemma-4-31b-it", "gemma-4-31b-it", "google", GEMINI),
        ("anthropic:qwen3:8b", "qwen3:8b", "anthropic", CLAUDE),
    ],
)
def test_a_name_tells_whose_model_it_is(name: str, model_id: str, provider: str, base_url: str) -> None:
    choice = choice_of(name, settings())
    assert (choice.id, choice.vendor.provider, choice.base_url) == (model_id, provider, base_url)


@pytest.mark.parametrize("name", ["", "gpt-9", "qwen3:8b", "openai:gpt-9", "anthropic:", ":x", "scripted:x"])
def test_a_name_that_tells_nothing_is_refused_with_what_to_type(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        choice_of(name, settings())
    assert repr(name) in refused.value.message
    assert "fumehood models" in refused.value.next_step


@pytest.mark.parametrize(
    "model_id",
    ["a?key=1", "../v1/files", "a/../b", "a..b", "a b", "a#b", "a%2e", "a\nb", "ä", "-a", "/a", "a" * 201],
)
def test_an_id_that_could_lead_elsewhere_is_refused_and_said_so(model_id: str) -> None:
    for name, run in ((f"google:{model_id}", settings()), ("mine", declared(id=model_id))):
        with pytest.raises(ConfigError, match="cannot be a model: ids are of letters") as refused:
            choice_of(name, run)
        assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "model_id",
    [
        "Qwen/Qwen3-32B",
        "qwen3:8b",
        "hf.co/unsloth/x-GGUF:Q4_K_M",
        "claude-opus-4-5@20251101",
        "gemini-3.8-flash",
    ],
)
def test_ids_as_servers_have_them_are_taken(model_id: str) -> None:
    assert choice_of(f"anthropic:{model_id}", settings()).id == model_id


@pytest.mark.parametrize("url", ["https://API.anthropic.com", "https://api.anthropic.com:443"])
def test_a_vendor_is_the_vendor_however_its_address_is_written(url: str) -> None:
    elsewhere = settings(base_urls={"anthropic": url})
    assert choice_of("claude-opus-5-5", elsewhere).by_vendor
    assert prices_of("claude-opus-5-5", elsewhere) == prices_of("claude-opus-5-5", settings())


def test_a_vendor_is_never_asked_in_clear() -> None:
    with pytest.raises(ConfigError, match="told its key in clear") as refused:
        choice_of("claude-opus-5-5", settings(base_urls={"anthropic": "http://api.anthropic.com"}))
    assert CLAUDE in refused.value.next_step


def test_a_slip_in_a_name_is_answered_with_the_name_that_is_meant() -> None:
    with pytest.raises(ConfigError) as refused:
        choice_of("opus-5-5", settings())
    assert "Do you mean claude-opus-5-5?" in refused.value.next_step


def test_a_base_url_goes_for_every_model_of_its_provider_and_for_no_other() -> None:
    elsewhere = settings(base_urls={"anthropic": LOCAL})
    assert choice_of("claude-opus-5-5", elsewhere).base_url == LOCAL
    assert choice_of("gemini-4-argon", elsewhere).base_url == GEMINI


def test_a_declared_model_is_what_its_declaration_says() -> None:
    run = declared(id="qwen3-coder", base_url=LOCAL, context_tokens=40_000, max_output_tokens=9000, free=True)
    choice = choice_of("mine", run)
    card = card_of(choice)
    assert (choice.id, choice.base_url, choice.by_vendor) == ("qwen3-coder", LOCAL, False)
    assert (card.context_tokens, card.max_output_tokens, card.thinking) == (40_000, 9000, "none")
    assert card.prices == FREE


def test_what_a_declaration_leaves_out_is_as_the_catalogue_has_it() -> None:
    run = declared(
        id="claude-opus-4-5", base_url=LOCAL, prices=DeclaredPrices(input=Decimal(6), output=Decimal(30))
    )
    card = card_of(choice_of("mine", run))
    assert (card.context_tokens, card.thinking) == (200_000, "budget")
    assert card.prices is not None
    assert (card.prices.input, card.prices.output) == (Decimal(6), Decimal(30))


def test_a_small_model_is_left_room_to_read() -> None:
    card = card_of(choice_of("mine", declared(base_url=LOCAL, context_tokens=8192)))
    assert card.max_output_tokens == 4096


def test_who_is_not_the_vendor_is_not_taken_to_charge_what_the_vendor_does() -> None:
    assert prices_of("claude-opus-5-5", settings(base_urls={"anthropic": LOCAL})) is None
    assert prices_of("anthropic:qwen3", settings(base_urls={"anthropic": LOCAL})) is None


def test_a_price_that_nobody_knows_is_no_price_and_never_nothing() -> None:
    assert prices_of("claude-banana", settings(researcher_model="claude-banana")) is None


def test_a_run_that_is_only_looked_at_may_name_a_model_that_nobody_knows() -> None:
    assert prices_of("m", settings()) is None


def test_a_card_has_the_prices_of_its_day_and_the_next_ones() -> None:
    card = card_of(choice_of("gemini-4-carbon", settings()), date(2026, 11, 23))
    assert card.prices is not None
    assert card.prices.input == 2
    assert [change.day for change in card.price_changes] == [date(2026, 12, 1)]
    assert isinstance(card.price_changes[0], PriceChange)
    assert "2026-11-23" in card.prices_as_of


# Keys


def no_key(name: str) -> Secret | None:
    """There is none."""
    return None


@pytest.fixture(autouse=True)
def no_keys() -> Iterator[None]:
    use_key_store(keys_in_environment())
    yield
    use_key_store(None)


def keys(*names: str, **changes: Any) -> dict[str, Secret]:
    """The keys that models of these names are told."""
    return asyncio.run(keys_for(names, settings(**changes)))


def test_only_keys_of_vendors_that_are_asked_are_looked_for() -> None:
    keyring = NoKeyring()
    use_key_store(keys_in_environment(keyring, ANTHROPIC_API_KEY="sk-ant-api03-1", GOOGLE_API_KEY="AIzaSy-2"))
    assert set(keys("scripted:bagging")) == set()
    assert set(keys("claude-opus-5-5", "claude-sonnet-5-5")) == {"ANTHROPIC_API_KEY"}
    assert set(keys("claude-opus-5-5", "gemini-4-argon")) == {"ANTHROPIC_API_KEY", "GOOGLE_API_KEY"}
    assert keyring.asked == []
    use_key_store(keys_in_environment(keyring, ANTHROPIC_API_KEY="sk-ant-api03-1"))
    with pytest.raises(ConfigError):
        keys("claude-opus-5-5", "gemini-4-argon")
    assert keyring.asked == ["GOOGLE_API_KEY"]


@pytest.mark.parametrize(
    ("name", "key", "place"),
    [
        ("claude-opus-5-5", "ANTHROPIC_API_KEY", 'console.anthropic.com ("API keys")'),
        ("gemini-4-argon", "GOOGLE_API_KEY", 'aistudio.google.com ("Get API key")'),
    ],
)
def test_a_missing_key_is_one_line_with_where_to_get_it(name: str, key: str, place: str) -> None:
    for ask in (lambda: keys(name), lambda: model_for(name, settings(), no_key)):
        with pytest.raises(ConfigError) as refused:
            ask()
        assert refused.value.message == f"{key} is missing, which {name} needs"
        assert place in refused.value.next_step
        assert f"fumehood keys set {key}" in refused.value.next_step


def test_a_locked_keyring_is_in_the_way_of_a_vendor_only() -> None:
    use_key_store(keys_in_environment(NoKeyring(KeysLocked("the keyring is locked", "Unlock it."))))
    with pytest.raises(KeysLocked):
        keys("claude-opus-5-5")
    assert keys("claude-opus-5-5", base_urls={"anthropic": LOCAL}) == {}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://gateway.example", True),
        ("http://localhost:11434", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://gpu-box:8000", False),
        ("http://localhost.example", False),
    ],
)
def test_a_key_goes_over_no_network_in_clear(url: str, told: bool) -> None:
    use_key_store(keys_in_environment(ANTHROPIC_API_KEY="sk-ant-api03-1"))
    elsewhere = {"base_urls": {"anthropic": url}}
    assert bool(keys("claude-opus-5-5", **elsewhere)) == told
    assert choice_of("claude-opus-5-5", settings(**elsewhere)).takes_key == told


# Models that think


FIND: FindKey = {"ANTHROPIC_API_KEY": Secret("sk-ant-api03-1"), "GOOGLE_API_KEY": Secret("AIza-2")}.get


@pytest.mark.parametrize("name", ["claude-opus-5-5", "gemini-4-argon"])
def test_a_model_is_ready_with_its_name_and_its_prices(name: str) -> None:
    model = model_for(name, settings(), FIND)
    assert (model.name, model.scripted) == (name, False)
    assert model.prices == prices_of(name, settings())


def test_a_server_of_ones_own_needs_no_key() -> None:
    model = model_for("mine", declared(id="qwen3-coder", base_url=LOCAL, free=True), no_key)
    assert (model.name, model.prices) == ("qwen3-coder", FREE)


@pytest.mark.parametrize(
    ("name", "wanted", "unwanted"),
    [
        ("claude-opus-5-5", "core.models.claude", "google.genai"),
        ("gemini-4-argon", "core.models.gemini", "anthropic"),
    ],
)
def test_only_the_client_of_the_provider_in_use_is_imported(name: str, wanted: str, unwanted: str) -> None:
    probe = (
        "import sys\n"
        "from core.config import RunSettings\n"
        "from core.keys.secret import Secret\n"
        "from core.models.choice import model_for\n"
        f"run = RunSettings(model={name!r}, researcher_model={name!r}, writer_model={name!r})\n"
        "assert not {'anthropic', 'google.genai'} & sys.modules.keys()\n"
        f"model_for({name!r}, run, lambda key: Secret('k'))\n"
        f"assert {wanted!r} in sys.modules\n"
        f"assert {unwanted!r} not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["claude-opus-5-5", "gemini-4-argon"])
def test_variables_of_the_vendors_own_clients_decide_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = choice_of(name, settings()), prices_of(name, settings())
    for variable in ("ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"):
        monkeypatch.setenv(variable, "http://hijacked.example")
    for variable in ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"):
        monkeypatch.setenv(variable, "true")
    for variable in ("ANTHROPIC_MODEL", "ANTHROPIC_AUTH_TOKEN", "GEMINI_API_KEY"):
        monkeypatch.setenv(variable, "hijacked")
    assert (choice_of(name, settings()), prices_of(name, settings())) == before
    with pytest.raises(ConfigError, match="is missing, which"):
        keys(name)
