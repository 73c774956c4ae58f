"""Settings: models of one's own and where they are served, and journals that know nothing of either."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.config import (
    DeclaredModel,
    DeclaredPrices,
    RunSettings,
    checked_base_url,
    config_path,
    read_settings,
)
from core.errors import ConfigError

OWN = """
[base_urls]
google = "https://gateway.example/gemini/"

[models."qwen3-coder"]
provider = "anthropic"
base_url = "http://localhost:11434"
context_tokens = 65536
free = true

[models."claude-through-a-gateway"]
provider = "anthropic"
id = "claude-opus-5-5"
base_url = "https://gateway.example"
prices = { input = 4.4, output = 22, cached = 0.22 }
"""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / name)
    for name in ("FUMEHOOD_MODEL", "FUMEHOOD_MODELS", "FUMEHOOD_BASE_URLS"):
        monkeypatch.delenv(name, raising=False)


def write(text: str) -> None:
    config_path().parent.mkdir(exist_ok=True)
    config_path().write_text(text, encoding="utf-8")


def test_a_model_of_ones_own_is_declared_with_all_that_is_known_of_it() -> None:
    write(OWN)
    settings = read_settings()
    assert settings.base_urls == {"google": "https://gateway.example/gemini"}
    local, dear = settings.models["qwen3-coder"], settings.models["claude-through-a-gateway"]
    assert (local.provider, local.base_url, local.free) == ("anthropic", "http://localhost:11434", True)
    assert local.context_tokens == 65_536
    assert dear.prices == DeclaredPrices(
        input=Decimal("4.4"), output=Decimal(22), cached=Decimal("0.22"), cache_written=None
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[models.q]\nprovider = "openai"', "'anthropic' or 'google'"),
        ('[models.q]\nprovider = "anthropic"\nbase_ur = "http://x"', "models.q.base_ur"),
        ('[models.q]\nprovider = "anthropic"\nfree = true\nprices = { input = 1, output = 2 }', "either"),
        ('[models.q]\nprovider = "anthropic"\nprices = { input = -1, output = 2 }', "greater than"),
        ('[models.q]\nprovider = "anthropic"\nprices = { input = 1 }', "models.q.prices.output"),
        ('[models.q]\nprovider = "anthropic"\nthinking = "hard"', "models.q.thinking"),
        ('[models.q]\nprovider = "anthropic"\ncontext_tokens = 0', "models.q.context_tokens"),
        ('[base_urls]\nanthropic = "localhost:11434"', "not an address like http://localhost:11434"),
        ('[base_urls]\nopenai = "http://localhost"', "base_urls.openai"),
    ],
)
def test_a_slip_of_the_pen_is_said_with_its_place(text: str, said: str) -> None:
    write(text)
    with pytest.raises(ConfigError) as refused:
        read_settings()
    assert said in refused.value.message
    assert "Value error" not in refused.value.message
    assert str(config_path()) in refused.value.next_step


def test_a_variable_that_is_no_json_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUMEHOOD_MODELS", "qwen3")
    with pytest.raises(ConfigError, match="FUMEHOOD_ variable"):
        read_settings()


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1beta", "/anthropic/v1"])
def test_a_base_url_leaves_out_what_every_request_adds(path: str) -> None:
    with pytest.raises(ValueError, match="leave 'v1"):
        checked_base_url(f"http://localhost:8000{path}")


@pytest.mark.parametrize(
    "url", ["https://me:secret@x.example", "https://x.example/?key=secret", "https://x#secret"]
)
def test_a_base_url_never_carries_a_key_into_a_journal(url: str) -> None:
    with pytest.raises(ValueError, match="no name, key or query") as refused:
        checked_base_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["", "x.example", "ftp://x.example", "http://", "file:///etc", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"not an address|Invalid IPv6"):
        checked_base_url(url)


def test_a_journal_of_before_has_no_models_of_its_own_and_reads_as_ever() -> None:
    old = '{"model": "scripted:x", "researcher_model": "scripted:x", "writer_model": "scripted:x"}'
    settings = RunSettings.model_validate_json(old)
    assert (settings.base_urls, settings.models) == ({}, {})


def test_a_declared_model_comes_back_from_a_journal_as_it_went_in_and_of_a_newer_one_what_is_known() -> None:
    write(OWN)
    declared = read_settings().models["claude-through-a-gateway"]
    run = RunSettings(
        model="m",
        researcher_model="m",
        writer_model="m",
        models={"m": DeclaredModel.model_validate(declared.model_dump())},
    )
    written = run.model_dump_json()
    assert RunSettings.model_validate_json(written) == run
    newer = written.replace('"free":', '"dreams": true, "free":')
    assert RunSettings.model_validate_json(newer) == run
