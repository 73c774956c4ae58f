"""What people filled in for a new run: read into a request, or said what is missing and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from core.approval import Policy
from core.config import Settings
from core.errors import FumehoodError, SandboxUnavailable
from core.experiment import Compute
from core.keys.names import KEY_NAMES, MODAL_ID, MODAL_SECRET
from core.models.catalog import Role
from core.models.choice import SCRIPTED, choice_of, is_scripted, key_missing
from core.models.vendors import VENDORS
from core.pricing import dollars
from core.record.data import checked_files
from core.record.folder import MAX_QUESTION_CHARACTERS, NETWORK_FILE_SYSTEMS, file_system_of
from core.sandbox.machines import LOCAL, MODAL, checked_machine, modal_token_missing
from core.sandbox.modal.gpus import nearest
from tui.file_words import files_typed
from tui.model_choice import ROLES, ChosenModels, chosen_models
from tui.run_request import DEMO_SPEED, RunRequest, readable_policy
from tui.script_choice import Script, script_of, shipped_script
from tui.wording import usd

Field: TypeAlias = (
    Literal[
        "question",
        "path",
        "mode",
        "sandbox",
        "gpu",
        "data",
        "rounds",
        "per_round",
        "at_once",
        "budget",
        "policy",
        "folder",
    ]
    | Role
)

OWN_SCRIPT = "a file"
"""Chosen as a study, it stands for the path that is typed."""

LANGUAGE_MODELS = "language models"
"""Chosen as a study, it stands for the models that are typed."""

LIMITS: dict[Field, tuple[str, int, int]] = {
    "rounds": ("max_rounds", 1, 50),
    "per_round": ("num_agents", 1, 256),
    "at_once": ("max_parallel", 1, 256),
}
"""The setting of a count, and between what it lies."""


@dataclass(frozen=True)
class RunForm:
    """A new run as it was filled in; what is empty is as the study or the settings have it.

    Attributes:
        question: what is investigated; empty for the study's own.
        study: a shipped study, ``OWN_SCRIPT`` or ``LANGUAGE_MODELS``.
        path: of a script of one's own.
        model: the language model of every role that has none of its own.
        researcher_model: that of the researchers.
        writer_model: that of the writer.
        mode: ``orchestrator`` or ``single``.
        sandbox: where experiments run, ``local`` or ``modal``.
        gpu: the GPU that experiments get unless they say otherwise.
        data: paths of files that all experiments can read, on one line.
        rounds: rounds that may be proposed.
        per_round: experiments that one round may have.
        at_once: experiments that run at once.
        budget: the cap, USD.
        policy: who approves.
        paper_size: the size of the paper's pages; empty for that of the settings.
        literature: whether agents may ask the literature.
        accept_process_only: whether to run without isolation where there is none.
    """

    question: str = ""
    study: str = ""
    path: str = ""
    model: str = ""
    researcher_model: str = ""
    writer_model: str = ""
    mode: str = "orchestrator"
    sandbox: str = LOCAL
    gpu: str = ""
    data: str = ""
    rounds: str = ""
    per_round: str = ""
    at_once: str = ""
    budget: str = ""
    policy: str = ""
    paper_size: str = ""
    literature: bool = True
    accept_process_only: bool = False


@dataclass(frozen=True)
class Problem:
    """What stands in the way of a run.

    Attributes:
        field: where it can be mended.
        message: what is wrong.
        next_step: how to mend it.
        missing: the keys that it would take; none where it is about something else.
    """

    field: Field
    message: str
    next_step: str = ""
    missing: tuple[str, ...] = ()


def read_form(
    form: RunForm, settings: Settings, keys: Collection[str] | None = ()
) -> tuple[RunRequest | None, list[Problem]]:
    """The run that is asked for, and everything that stands in its way; None where anything does.

    Args:
        form: what was filled in.
        settings: the user's.
        keys: names of the keys that are there; None while they are being looked for.
    """
    problems: list[Problem] = []
    question = " ".join(form.question.split())
    if form.study == LANGUAGE_MODELS:
        models = _models(form, settings, keys, problems)
        if not question:
            problems.insert(0, Problem("question", "there is no question", "Type what you want to know."))
    else:
        script = _script(form, problems)
        models = ChosenModels.playing(script) if script else None
    script = models.script if models else None
    question = question or (script.trajectory.question if script else "")
    if len(question) > MAX_QUESTION_CHARACTERS:
        said = f"the question has {len(question):,} characters, more than {MAX_QUESTION_CHARACTERS:,}"
        problems.append(Problem("question", said, "Ask it shorter."))
    if form.mode == "single" and script is not None and script.needs != (1, 1):
        said = f"{script.name} was written for more than one experiment, and mode single plans exactly one"
        problems.append(Problem("mode", said, "Choose orchestrator, or another study."))
    problems += _modal_problems(form, keys)
    named: dict[str, Any] = {"mode": form.mode, "sandbox": form.sandbox} | _gpu(form, problems)
    files = _data(form, problems)
    if form.paper_size:
        named["paper_size"] = form.paper_size
    if form.study == LANGUAGE_MODELS and not form.literature:
        named["literature"] = False
    if script is not None:
        named["characters_per_second"] = DEMO_SPEED
    named |= _counts(form, problems) | _budget(form, problems)
    if form.accept_process_only:
        named["accept_process_only"] = True
    policy = _policy(form.policy or settings.approve, problems)
    problems += folder_problems(settings)
    if problems or models is None:
        return None, problems
    return RunRequest(question, models, policy, named, files), []


def policy_in_words(text: str) -> str:
    """What a policy means; empty where it cannot be read."""
    match Policy.parse(text):
        case None:
            return ""
        case Policy(kind="ask"):
            return "every launch waits for you"
        case Policy(kind="auto"):
            return "launches with a known price start by themselves, up to the cap"
        case Policy(kind="cpu"):
            return "launches without a GPU start by themselves, up to the cap"
        case Policy(limit_usd=limit):
            return f"launches that never cost more than {dollars(limit)} start by themselves"


def folder_problems(settings: Settings) -> list[Problem]:
    """Why no run can be kept in the data folder; empty where one can."""
    runs, mend = settings.runs_folder, "Set FUMEHOOD_DATA_FOLDER to a folder that you can write."
    there = next((path for path in (runs, *runs.parents) if path.exists()), None)
    if there is None or not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return [Problem("folder", f"runs are kept in {runs}, which cannot be written", mend)]
    if (kind := file_system_of(there)) in NETWORK_FILE_SYSTEMS:
        said = f"{runs} lies on a network file system ({kind}), where a journal is not safe"
        return [Problem("folder", said, "Set FUMEHOOD_DATA_FOLDER to a folder on a local disk.")]
    return []


@lru_cache(maxsize=8)
def study_script(study: str) -> Script:
    """A shipped study, read once.

    Raises:
        InputError: there is none of that name.
        TrajectoryError: the installation is damaged.
    """
    return shipped_script(study)


def _models(
    form: RunForm, settings: Settings, keys: Collection[str] | None, problems: list[Problem]
) -> ChosenModels | None:
    """The language models that are asked for, where each is known and can be reached."""
    typed: dict[Role, str | None] = {role: getattr(form, role).strip() or None for role in ROLES}
    try:
        models = chosen_models(typed, settings, keys)
    except FumehoodError as error:
        if keys is None and not any(typed.values()):
            problems.append(Problem("model", "your keys are being looked for", "Wait a moment."))
            return None
        wrong = (role for role, name in typed.items() if name and not _is_known(name, settings))
        lacking = tuple(vendor.key_name for vendor in VENDORS.values()) if not keys else ()
        problems.append(Problem(next(wrong, "model"), error.message, error.next_step, lacking))
        return None
    told: set[str] = set()
    for role, name in models.names.items():
        if is_scripted(name) or keys is None:
            continue
        choice = choice_of(name, settings)
        key = choice.vendor.key_name
        if choice.by_vendor and key not in keys and key not in told:
            missing = key_missing(choice)
            told.add(key)
            field: Field = role if typed[role] else "model"
            problems.append(Problem(field, missing.message, missing.next_step, (key,)))
    return models


def _is_known(name: str, settings: Settings) -> bool:
    try:
        choice_of(name, settings)
    except FumehoodError:
        return False
    return True


def _script(form: RunForm, problems: list[Problem]) -> Script | None:
    if form.study != OWN_SCRIPT:
        try:
            return study_script(form.study)
        except FumehoodError as error:
            problems.append(Problem("model", error.message, error.next_step))
            return None
    if not form.path.strip():
        problems.append(Problem("path", "no file is named", "Type the path of a trajectory.toml."))
        return None
    try:
        path = Path(form.path.strip()).expanduser().absolute()
        if not path.exists():
            problems.append(Problem("path", f"there is no {path}", "Type the path of a trajectory.toml."))
            return None
        return script_of(f"{SCRIPTED}{path}")
    except FumehoodError as error:
        problems.append(Problem("path", error.message, error.next_step))
    except (ValueError, RuntimeError):  # no name that a file could have, or no such home
        problems.append(Problem("path", f"{form.path!r} cannot be a path", "Type another."))
    return None


def _gpu(form: RunForm, problems: list[Problem]) -> dict[str, Any]:
    """The GPU that was typed, by the provider's own name."""
    if form.sandbox != MODAL or form.gpu.strip().lower() in ("", "none"):
        return {"gpu": None}
    try:
        return {"gpu": checked_machine(form.sandbox, Compute(gpu=form.gpu.strip()[:24])).gpu}
    except SandboxUnavailable as error:
        near = nearest(form.gpu)
        next_step = f"Did you mean {near}?" if near else f"{error.next_step}."
        problems.append(Problem("gpu", error.message, next_step))
        return {}


def _data(form: RunForm, problems: list[Problem]) -> tuple[Path, ...]:
    """The files that were named; a study's own scripts would not read any."""
    if not takes_data(form) or not form.data.strip():
        return ()
    try:
        files = files_typed(form.data)
        checked_files(files, ())
    except FumehoodError as error:
        problems.append(Problem("data", error.message, error.next_step))
        return ()
    return files


def takes_data(form: RunForm) -> bool:
    """Whether anything in the run could read data: the scripts of a shipped study do not."""
    return form.study in (OWN_SCRIPT, LANGUAGE_MODELS)


def _modal_problems(form: RunForm, keys: Collection[str] | None) -> list[Problem]:
    """What of Modal's token is missing, where it is needed."""
    if form.sandbox != MODAL:
        return []
    if keys is None:
        return [Problem("sandbox", "your keys are being looked for", "Wait a moment.")]
    missing = tuple(name for name in (MODAL_ID, MODAL_SECRET) if name not in keys)
    if not missing:
        return []
    if len(missing) == 1:
        error = modal_token_missing(missing[0])
        return [Problem("sandbox", error.message, error.next_step, missing)]
    said = f"{' and '.join(missing)} are missing, which the sandbox modal needs"
    return [Problem("sandbox", said, f"Get a token at {KEY_NAMES[MODAL_ID].url}.", missing)]


def _counts(form: RunForm, problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, (name, fewest, most) in LIMITS.items():
        text = getattr(form, field).strip()
        if not text:
            continue
        if text.isdecimal() and len(text) < 10 and fewest <= int(text) <= most:
            found[name] = int(text)
        else:
            problems.append(
                Problem(field, f"{text!r} is not a number from {fewest} to {most}", "Type another.")
            )
    return found


def _budget(form: RunForm, problems: list[Problem]) -> dict[str, Any]:
    if not form.budget.strip():
        return {}
    try:
        return {"budget_usd": usd(form.budget)}
    except FumehoodError as error:
        problems.append(Problem("budget", error.message, error.next_step))
        return {}


def _policy(text: str, problems: list[Problem]) -> str:
    try:
        return readable_policy(text)
    except FumehoodError as error:
        problems.append(Problem("policy", error.message, error.next_step))
        return ""
