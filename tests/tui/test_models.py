"""Choosing models by command, fixing them for a run, and listing what can be named."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from core.config import RunSettings
from core.driving import models_of
from core.errors import ConfigError, KeysLocked
from core.keys.lookup import use_key_store
from core.models.catalog import KNOWN
from core.models.prices import OWN_TABLE_AS_OF
from core.record.live import LiveRun
from tests.fakes.anthropic_server import KEY, AnthropicServer
from tests.fakes.keys import NoKeyring, keys_in_environment
from tests.tui.conftest import Home, refusal
from tui import machine
from tui.exit_codes import ExitCode

BOTH = {"ANTHROPIC_API_KEY": KEY, "GOOGLE_API_KEY": "AIzaSyA-key-for-tests-that-opens-nothing"}
LOCAL = "http://localhost:11434"
OWN = f"""
[models."qwen3-coder"]
provider = "anthropic"
base_url = "{LOCAL}"
context_tokens = 65536
free = true
"""


def write_config(home: Home, text: str) -> None:
    """Write the user's settings file."""
    path = home.path / "config" / "fumehood" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run be created that no engine drives."""
    monkeypatch.setattr("tui.commands.start.start_and_watch", lambda folder, watch: ExitCode.DONE)


def asked_for(home: Home, *words: str) -> RunSettings:
    """What a run is created with."""
    result = home.type("run", "Why?", *words)
    assert result.exit_code == 0, result.output
    return home.only_run().state().settings


def roles(settings: RunSettings) -> tuple[str, str, str]:
    """Who thinks in a run."""
    return settings.model, settings.researcher_model, settings.writer_model


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("keys", "words", "config", "thinkers"),
    [
        (("ANTHROPIC_API_KEY",), (), "", ("claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-5-5")),
        (("GOOGLE_API_KEY",), (), "", ("gemini-4-argon", "gemini-3.8-flash", "gemini-4-argon")),
        (tuple(BOTH), (), "", ("claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-5-5")),
        (tuple(BOTH), ("--model", "claude-opus-4-5"), "", ("claude-opus-4-5",) * 3),
        (tuple(BOTH), ("--model", "gemini-3-pro-preview"), "", ("gemini-3-pro-preview",) * 3),
        (
            tuple(BOTH),
            ("--researcher-model", "gemini-4-argon"),
            "",
            ("claude-opus-5-5", "gemini-4-argon", "claude-opus-5-5"),
        ),
        (
            tuple(BOTH),
            ("--writer-model", "claude-opus-5"),
            'model = "gemini-4-argon"\nresearcher_model = "claude-haiku-5-5"\n',
            ("gemini-4-argon", "claude-haiku-5-5", "claude-opus-5"),
        ),
        (
            tuple(BOTH),
            ("--model", "claude-haiku-5-5"),
            'model = "gemini-4-argon"\nresearcher_model = "gemini-3.8-flash"\n',
            ("claude-haiku-5-5",) * 3,
        ),
    ],
)
def test_who_thinks_is_as_typed_else_as_set_else_by_the_keys_that_are_here(
    home: Home, keys: tuple[str, ...], words: tuple[str, ...], config: str, thinkers: tuple[str, ...]
) -> None:
    use_key_store(keys_in_environment(**{name: BOTH[name] for name in keys}))
    write_config(home, config)
    assert roles(asked_for(home, *words)) == thinkers


@pytest.mark.usefixtures("no_engine")
def test_what_a_run_needs_is_fixed_when_it_is_created_but_never_a_key(home: Home) -> None:
    use_key_store(keys_in_environment(**BOTH))
    write_config(home, OWN + '[models.unused]\nprovider = "google"\n')
    settings = asked_for(home, "--model", "claude-opus-5-5", "--researcher-model", "qwen3-coder")
    assert set(settings.models) == {"qwen3-coder"}
    assert settings.models["qwen3-coder"].base_url == LOCAL
    (home.path / "config" / "fumehood" / "config.toml").unlink()
    assert home.only_run().state().settings.models["qwen3-coder"].free
    written = b"".join(path.read_bytes() for path in home.only_run().path.rglob("*") if path.is_file())
    for key in BOTH.values():
        assert key.encode() not in written


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("words", "base_urls"),
    [
        (("--base-url", "https://gateway.example/"), {"anthropic": "https://gateway.example"}),
        (("--base-url", f"anthropic={LOCAL}"), {"anthropic": LOCAL}),
        (
            ("--writer-model", "gemini-4-argon", "--base-url", "google=https://g.example"),
            {"google": "https://g.example"},
        ),
        (
            ("--base-url", "google=https://g.example", "--base-url", "anthropic=https://a.example"),
            {"google": "https://g.example", "anthropic": "https://a.example"},
        ),
    ],
)
def test_a_base_url_is_typed_for_the_one_provider_or_by_provider(
    home: Home, words: tuple[str, ...], base_urls: dict[str, str]
) -> None:
    use_key_store(keys_in_environment(**BOTH))
    assert asked_for(home, "--model", "claude-opus-5-5", *words).base_urls == base_urls


@pytest.mark.usefixtures("no_engine")
def test_a_server_of_ones_own_needs_no_key_and_no_vendor(home: Home) -> None:
    write_config(home, OWN)
    assert asked_for(home, "--model", "qwen3-coder").model == "qwen3-coder"


def test_where_a_declared_model_is_served_is_said_in_one_place_only(home: Home) -> None:
    write_config(home, OWN)
    said = refusal(home.type("run", "Why?", "--model", "qwen3-coder", "--base-url", "http://localhost:8080"))
    assert "the settings say where qwen3-coder is served" in said


def test_a_keyring_that_is_locked_is_said_where_a_key_is_missing(home: Home) -> None:
    use_key_store(keys_in_environment(NoKeyring(KeysLocked("the keyring is locked", "Unlock it."))))
    for words in ((), ("--model", "claude-opus-5-5")):
        result = home.type("run", "Why?", *words)
        assert result.exit_code not in (0, ExitCode.CRASHED)
        assert "the keyring is locked" in result.stderr
    assert not home.runs.exists()


@pytest.mark.usefixtures("no_engine")
def test_an_engine_takes_its_models_from_the_journal_whatever_is_set_meanwhile(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_key_store(keys_in_environment(**BOTH))
    write_config(home, OWN)
    asked_for(home, "--model", "claude-opus-5-5", "--researcher-model", "qwen3-coder")
    write_config(home, 'model = "gemini-4-argon"\n[base_urls]\nanthropic = "http://elsewhere.example"\n')
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://hijacked.example")
    folder = home.only_run()
    with folder.journal() as journal:
        models = asyncio.run(models_of(folder, LiveRun(folder, journal)))
        assert [models.orchestrator.name, models.researcher.name] == ["claude-opus-5-5", "qwen3-coder"]
        use_key_store(keys_in_environment())
        with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY is missing"):
            asyncio.run(models_of(folder, LiveRun(folder, journal)))


# Listing


def test_every_known_model_is_listed_with_its_price_and_what_is_missing(home: Home) -> None:
    use_key_store(keys_in_environment(ANTHROPIC_API_KEY=KEY))
    result = home.type("models")
    assert result.exit_code == 0
    for known in KNOWN:
        assert known.id in result.stdout
    assert "ANTHROPIC_API_KEY is here (environment)" in result.stdout
    assert "GOOGLE_API_KEY is missing" in result.stdout
    assert "fumehood keys set GOOGLE_API_KEY" in result.stdout
    assert "no longer served" in result.stdout
    assert OWN_TABLE_AS_OF in result.stdout
    assert KEY not in result.output
    opus = next(line for line in result.stdout.splitlines() if "claude-opus-5-5 " in line)
    assert opus.split() == ["claude-opus-5-5", "1,000,000", "4", "/", "20", "/", "0.2", "adaptive"]


def test_models_of_ones_own_are_listed_where_they_are_served(home: Home) -> None:
    write_config(home, OWN)
    lines = home.type("models").stdout.splitlines()
    place = lines.index(f"anthropic at {LOCAL}  no key, and none may be needed")
    assert lines[place + 1].split() == ["qwen3-coder", "65,536", "0", "/", "0", "/", "0", "none"]


def listed(home: Home, *words: str) -> dict[str, dict[str, Any]]:
    """The list as JSON, by name."""
    result = home.type("models", "--json", *words)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return {row["model"]: row for row in rows}


def test_the_list_as_json_says_all_that_is_known(home: Home) -> None:
    use_key_store(keys_in_environment(ANTHROPIC_API_KEY=KEY))
    write_config(home, OWN)
    rows = listed(home)
    assert rows["claude-opus-5-5"]["usable"]
    assert not rows["gemini-4-argon"]["usable"]
    assert rows["gemini-4-argon"]["key"] == "GOOGLE_API_KEY"
    assert rows["qwen3-coder"]["usable"]
    assert rows["qwen3-coder"]["key"] is None
    assert rows["claude-haiku-5-5"]["usd_per_million"]["long_above_tokens"] == 100_000
    assert rows["gemini-3-pro-preview"]["gone"]
    assert rows["claude-opus-5-5"]["live"] is None


def test_servers_are_asked_what_they_serve_now(home: Home) -> None:
    names = ("claude-opus-5-5", "claude-nova-6", "qwen3:8b", "../x?y")
    serves = [{"id": name, "type": "model"} for name in names]
    with AnthropicServer(models=serves).in_background() as server:
        write_config(home, f'[base_urls]\nanthropic = "{server.base_url}"\n')
        use_key_store(keys_in_environment(ANTHROPIC_API_KEY=KEY))
        rows = listed(home, "--live")
        shown = home.type("models", "--live")
    assert rows["claude-opus-5-5"]["live"]
    assert rows["claude-opus-5-5"]["usd_per_million"] is None
    assert rows["claude-nova-6"]["live"]
    assert rows["anthropic:qwen3:8b"]["id"] == "qwen3:8b"
    assert not {"claude-sonnet-5", "anthropic:../x?y"} & rows.keys()
    assert rows["gemini-4-argon"]["live"] is None
    assert shown.exit_code == 0
    assert "GOOGLE_API_KEY is missing" in shown.stdout
    assert "served now" in shown.stdout


def test_a_server_that_does_not_answer_is_one_line_of_the_list(home: Home) -> None:
    with AnthropicServer().in_background() as server:
        url = server.base_url
    write_config(home, f'[base_urls]\nanthropic = "{url}"\n')
    result = home.type("models", "--live")
    assert result.exit_code == ExitCode.RUN_FAILED
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(f"  {url} was not asked")]
    assert line
    assert "gemini-4-argon" in result.stdout


# The doctor


def test_the_doctor_says_who_can_think_and_what_is_missing(home: Home) -> None:
    none = machine.models()
    assert none.state == "limited"
    assert "scripted studies only" in none.text
    assert "fumehood keys set ANTHROPIC_API_KEY" in none.fix
    use_key_store(keys_in_environment(GOOGLE_API_KEY=BOTH["GOOGLE_API_KEY"]))
    one = machine.models()
    assert one.state == "works"
    assert "Gemini (key: environment)" in one.text
    assert "no Claude (ANTHROPIC_API_KEY is missing)" in one.text


def test_the_doctor_counts_a_server_of_ones_own(home: Home) -> None:
    write_config(home, OWN)
    found = machine.models()
    assert (found.state, "qwen3-coder" in found.text) == ("works", True)


def test_the_doctor_says_that_a_keyring_is_locked(home: Home) -> None:
    use_key_store(keys_in_environment(NoKeyring(KeysLocked("the keyring is locked", "Unlock it."))))
    assert "the keyring is locked. Unlock it." in machine.models().fix


def test_settings_that_cannot_be_read_are_the_doctors_finding(home: Home) -> None:
    write_config(home, "[models.q]\nprovider = 3\n")
    assert machine.models().state == "broken"


@pytest.mark.usefixtures("home")
def test_no_model_of_the_catalogue_needs_a_client_to_be_listed() -> None:
    probe = (
        "import sys\nfrom tui.cli import main\n"
        "try: main(['models'])\nexcept SystemExit: pass\n"
        "heavy = {'anthropic', 'google.genai', 'textual', 'scipy'} & sys.modules.keys()\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
