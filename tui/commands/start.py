"""``fumehood run`` and ``fumehood demo``: create a run, start its engine and follow it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import click

from core.config import PaperSize, Settings, read_settings
from core.demo import DEFAULT, studies
from core.errors import ConfigError, EngineError, InputError, RunError, SandboxError
from core.models.catalog import Role
from core.models.choice import keys_for, prices_of
from core.models.vendors import VENDORS
from core.record.data import checked_files
from core.record.folder import RunFolder
from core.sandbox.machines import LOCAL, MODAL
from core.sandbox.providers import modal_credentials
from tui.console_options import console_options, take_console_options
from tui.env_file_option import env_file_option, use_env_file
from tui.exit_codes import ExitCode
from tui.missing_keys import keys_needed, take_any_key, take_missing_keys
from tui.model_choice import ROLES, ChosenModels, chosen_models, named_models, with_base_urls
from tui.run_data import add_files
from tui.run_request import DEMO_SPEED, RunRequest, new_run, readable_policy, run_settings
from tui.safe_text import one_line
from tui.screen import Screen
from tui.script_choice import shipped_script
from tui.watching import Watch, start_and_watch
from tui.wording import usd

MAX_SPEED = 1_000_000.0

_NAMED = (
    "mode",
    "sandbox",
    "gpu",
    "num_agents",
    "max_rounds",
    "max_parallel",
    "confirm_scripts",
    "paper_size",
)
"""Options that are fields of ``RunSettings`` by the same name."""

_sandbox_option = click.option(
    "--sandbox", type=click.Choice([LOCAL, MODAL]), help="Where experiments run: on this machine or at Modal."
)
paper_size_option = click.option(
    "--paper-size", type=click.Choice(get_args(PaperSize)), help="The size of the paper's pages."
)
_gpu_option = click.option(
    "--gpu", metavar="NAME", help="The GPU that experiments get unless they say otherwise, such as H100."
)


@dataclass(frozen=True)
class Options:
    """What ``run`` and ``demo`` were told, beside the question.

    Attributes:
        settings: fields of ``RunSettings`` that were named.
        approve: the policy as typed; None where none was.
        watch: how to follow.
        data: files that all experiments can read.
        notes: what to say before the run starts.
    """

    settings: dict[str, Any]
    approve: str | None
    watch: Watch
    data: tuple[Path, ...] = ()
    notes: list[str] = field(default_factory=list)


@click.command()
@click.argument("question", metavar='"QUESTION"')
@click.option(
    "--mode", type=click.Choice(["orchestrator", "single"]), help="'single': one experiment, as typed."
)
@click.option("--model", metavar="NAME", help="Every agent's model; 'fumehood models' lists them.")
@click.option("--researcher-model", metavar="NAME", help="The researchers' model, where it is another.")
@click.option("--writer-model", metavar="NAME", help="The writer's model, where it is another.")
@click.option(
    "--base-url",
    "base_urls",
    multiple=True,
    metavar="URL",
    help="Where models are served, if not by their vendor; or PROVIDER=URL.",
)
@_sandbox_option
@_gpu_option
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file that all experiments can read; once for each file.",
)
@click.option("--num-agents", type=click.IntRange(1, 256), help="Experiments that one round may have.")
@click.option("--max-rounds", type=click.IntRange(1, 50), help="Rounds that may be proposed.")
@click.option("--max-parallel", type=click.IntRange(1, 256), help="Experiments that run at once.")
@click.option("--budget", metavar="USD", help="The cap; nothing is approved beyond it.")
@click.option("--approve", metavar="POLICY", help="ask, auto, cpu (no GPU) or under:USD.")
@click.option(
    "--confirm-scripts/--no-confirm-scripts",
    default=None,
    help="Let every single script wait for you, or none.",
)
@click.option(
    "--accept-process-only", is_flag=True, help="Accept to run without isolation where there is none."
)
@click.option("--no-literature", is_flag=True, help="Let no agent ask the literature sources.")
@paper_size_option
@click.option("--test-mode", is_flag=True, help="Play the shipped bagging study instead of the question.")
@click.option("--headless", is_flag=True, help="Plain lines, even on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="One event per line, as JSON.")
@click.option(
    "--speed",
    type=click.FloatRange(1, MAX_SPEED),
    metavar="N",
    help="Characters per second of scripted models.",
)
@env_file_option
@console_options
def run(question: str, **typed: Any) -> ExitCode:
    """Investigate a question.

    Every experiment waits for your approval, with its price, unless --approve says otherwise.
    """
    if not question.strip():
        raise InputError("the question is empty", "Say what you want to know, in quotes.")
    use_env_file(typed["env_file"])
    settings = read_settings()
    options = _options(typed)
    models = _chosen_models(typed, settings)
    settings = with_base_urls(settings, typed["base_urls"], models)
    script = models.script
    if typed["mode"] == "single" and script is not None and script.needs != (1, 1):
        raise InputError(
            f"{script.name} was written for more than one experiment, and --mode single plans exactly one",
            "Leave --mode out, or name another study.",
        )
    if script is not None and typed["test_mode"]:
        options.notes.append(
            "test mode: your question is not being researched;"
            " the shipped study 'bagging' is played instead.",
        )
        question = script.trajectory.question
    policy = readable_policy(typed["approve"] or settings.approve)
    if script is None:
        options.notes.extend(_thinking(models, settings))
    return _start(question, settings, models, policy, options)


@click.command()
@click.option("--study", default=DEFAULT, show_default=True, help="Which study; --list names them.")
@click.option("--list", "list_them", is_flag=True, help="Say which studies there are.")
@_sandbox_option
@_gpu_option
@click.option(
    "--approve",
    metavar="POLICY",
    help="ask, auto, cpu or under:USD.  [default: ask in the console and with --sandbox modal, else auto]",
)
@paper_size_option
@click.option("--headless", is_flag=True, help="Plain lines, even on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="One event per line, as JSON.")
@click.option(
    "--speed",
    type=click.FloatRange(1, MAX_SPEED),
    metavar="N",
    default=DEMO_SPEED,
    show_default=True,
    help="Characters per second of the scripted text.",
)
@env_file_option
@console_options
def demo(study: str, list_them: bool, **typed: Any) -> ExitCode:
    """Play a shipped study: the models are scripted, the experiments are real.

    No key is needed and nothing is paid for, unless you say --sandbox modal. The first time, packages are
    fetched.
    """
    if list_them:
        return _list_studies()
    use_env_file(typed["env_file"])
    settings = read_settings()
    script = shipped_script(study)
    options = _options(typed)
    paid = options.settings.get("sandbox") == MODAL
    unasked = "ask" if options.watch.in_console or paid else "auto"
    if typed["approve"] is None and unasked == "auto":
        options.notes.append(
            "approve: auto, because nobody can be asked without a console; --approve ask lets you decide.",
        )
    return _start(
        script.trajectory.question,
        settings,
        ChosenModels.playing(script),
        readable_policy(typed["approve"] or unasked),
        options,
    )


def _list_studies() -> ExitCode:
    screen = Screen.of()
    for study in studies():
        screen.line(f"{screen.paint(study.name, bold=True):<16}  {study.title}")
        screen.line(f"{'':16}  {one_line(study.about)}")
    return ExitCode.DONE


def _options(typed: dict[str, Any]) -> Options:
    """Read what was typed into what a run is created with."""
    named = {name: typed[name] for name in _NAMED if typed.get(name) is not None}
    if typed.get("budget") is not None:
        named["budget_usd"] = usd(typed["budget"])
    if typed.get("no_literature"):
        named["literature"] = False
    if typed.get("accept_process_only"):
        named["accept_process_only"] = True
    if typed.get("speed") is not None:
        named["characters_per_second"] = typed["speed"]
    watch = Watch(typed["headless"], typed["as_json"], console=take_console_options(typed))
    return Options(named, typed["approve"], watch, typed.get("data") or ())


def _chosen_models(typed: dict[str, Any], settings: Settings) -> ChosenModels:
    """Who thinks; keys are looked for only where that decides it."""
    roles: dict[Role, str | None] = {role: typed[role] for role in ROLES}
    if typed["test_mode"]:
        if any(roles.values()):
            raise ConfigError("--test-mode brings its own model", "Leave the --…model options out.")
        return ChosenModels.playing(shipped_script(DEFAULT))
    if all(named_models(roles, settings).values()):
        return chosen_models(roles, settings)
    search = take_any_key([vendor.key_name for vendor in VENDORS.values()])
    if not search.found:
        for trouble in search.troubles.values():
            raise trouble
    return chosen_models(roles, settings, search.found)


def _thinking(models: ChosenModels, settings: Settings) -> Iterator[str]:
    """Who thinks, in a line, and whose price nobody knows."""
    names = list(dict.fromkeys(models.names.values()))
    if len(names) == 1:
        yield f"model: {names[0]}"
    else:
        yield "models: " + ", ".join(f"{ROLES[role]} {name}" for role, name in models.names.items())
    if unknown := [name for name in names if prices_of(name, settings) is None]:
        yield (
            f"The price of {' and '.join(unknown)} is unknown: the cap cannot hold what its turns cost, and"
            " no policy approves what depends on it. Declare its prices, or that it is free, under [models]"
            " in the settings."
        )


def _start(
    question: str, settings: Settings, models: ChosenModels, policy: str, options: Options
) -> ExitCode:
    """Create the run, start its engine and follow it."""
    if models.script is not None and models.script.shipped:
        options.notes.append("The study's scripts ship with fumehood, so each runs without a yes of its own.")
    request = RunRequest(question, models, policy, options.settings)
    if options.data:
        checked_files(options.data, ())
    _look_for_keys(settings, request)
    folder = new_run(settings, request)
    _say(options)
    _give(folder, options.data)
    try:
        return start_and_watch(folder, options.watch)
    except EngineError as error:
        raise EngineError(
            error.message, f"{error.next_step} The run is kept: 'fumehood resume {folder.run_id}'.".strip()
        ) from None


def _give(folder: RunFolder, files: tuple[Path, ...]) -> None:
    """Give a new run the files that were named with it, before its engine starts."""
    if not files:
        return
    try:
        add_files(folder, files)
    except (RunError, SandboxError) as error:
        name = folder.run_id
        again = f"The run is kept: 'fumehood data add {name} FILE …', then 'fumehood resume {name}'."
        raise type(error)(error.message, f"{error.next_step.rstrip('.')}. {again}") from None


def _look_for_keys(settings: Settings, request: RunRequest) -> None:
    """See that no key is missing before there is a run: its engine could only say so and end.

    Raises:
        ConfigError: one is missing.
        KeysError: one is missing, and a place that may have it cannot be read.
    """
    names, sandbox = request.models.names.values(), run_settings(settings, request).sandbox
    take_missing_keys(keys_needed(names, sandbox, settings))
    asyncio.run(keys_for(set(names), settings))
    if sandbox == MODAL:
        asyncio.run(modal_credentials())


def _say(options: Options) -> None:
    """Say what has to be said before the run starts; beside JSON that goes to stderr."""
    screen = Screen.of(sys.stderr if options.watch.json else sys.stdout)
    for note in options.notes:
        screen.words(note)
