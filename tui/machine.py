"""What of this machine works for fumehood: each part is tried, not guessed."""

from __future__ import annotations

import asyncio
import codecs
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Literal

from core.config import read_settings
from core.errors import FumehoodError, KeysError
from core.keys.lookup import key_store
from core.keys.names import KEY_NAMES, MODAL_ID, MODAL_SECRET
from core.models.vendors import VENDORS
from core.record.folder import NETWORK_FILE_SYSTEMS, file_system_of
from core.sandbox.asking_modal import CHECK_NETWORK, check_token
from core.sandbox.isolation import probe
from core.sandbox.modal.account import Credentials
from tui.child_environment import child_environment
from tui.key_checks import OTHER_HALF
from tui.screen import wants_colours

PROGRAM_SECONDS = 5.0
OLDEST_PYTHON = (3, 11)
LITTLE_SPACE_BYTES = 2 * 1024**3
NARROW_COLUMNS, LOW_ROWS = 80, 24


@dataclass(frozen=True)
class Finding:
    """What was found about one part.

    Attributes:
        name: the part.
        state: whether it works.
        text: what was found.
        fix: what to do; empty where nothing is amiss.
        needed: whether a demo needs it.
    """

    name: str
    state: Literal["works", "limited", "broken"]
    text: str
    fix: str = ""
    needed: bool = False


def python() -> Finding:
    """The interpreter."""
    text = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info >= OLDEST_PYTHON:
        return Finding("Python", "works", text, needed=True)
    return Finding("Python", "broken", text, "Install Python 3.11 or later", needed=True)


def uv() -> Finding:
    """The program that installs the packages of experiments."""
    try:
        from uv import find_uv_bin

        said = subprocess.run(
            [find_uv_bin(), "--version"],
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=True,
            env=child_environment(),
        )
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        return Finding("uv", "broken", f"does not run: {error}", "Install fumehood again", needed=True)
    return Finding("uv", "works", said.stdout.strip(), needed=True)


def isolation() -> Finding:
    """How far scripts are kept from the user's files."""
    found = asyncio.run(probe())
    if found.isolation == "namespaces":
        return Finding("isolation", "works", "scripts run in namespaces of their own (bubblewrap)")
    text = "process only: scripts could read your files and keys, so each waits for your yes"
    return Finding("isolation", "limited", text, found.next_step)


def data_folder() -> Finding:
    """Where runs are kept."""
    try:
        folder = read_settings().data_folder
    except FumehoodError as error:
        return Finding("data folder", "broken", error.message, error.next_step, needed=True)
    place = next(path for path in (folder, *folder.parents) if path.exists())
    elsewhere = "Set FUMEHOOD_DATA_FOLDER to a folder on a local disk that you can write"
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding("data folder", "broken", f"{folder}: {error.strerror}", elsewhere, needed=True)
    kind = file_system_of(place)
    text = f"{folder} ({kind or 'unknown file system'}, {free / 1024**3:.1f} GiB free)"
    if kind in NETWORK_FILE_SYSTEMS:
        return Finding("data folder", "broken", f"{text}: a network file system", elsewhere, needed=True)
    if free < LITTLE_SPACE_BYTES:
        return Finding("data folder", "limited", text, "Make room: packages and logs take some GiB")
    return Finding("data folder", "works", text, needed=True)


def models() -> Finding:
    """Who can think: the vendors whose keys are here, and models that are served elsewhere."""
    try:
        settings = read_settings()
    except FumehoodError as error:
        return Finding("models", "broken", error.message, error.next_step)
    search = asyncio.run(key_store().search([vendor.key_name for vendor in VENDORS.values()]))
    usable, parts, fixes = False, [], []
    for vendor in VENDORS.values():
        base_url = settings.base_urls.get(vendor.provider, vendor.url)
        found = search.found.get(vendor.key_name)
        if base_url != vendor.url:
            parts.append(f"{vendor.title}'s API at {base_url}")
        elif found is not None:
            parts.append(f"{vendor.title} (key: {found.title})")
        else:
            parts.append(f"no {vendor.title} ({vendor.key_name} is missing)")
            fixes.append(vendor.key_next_step)
            continue
        usable = True
    own = [name for name, model in settings.models.items() if model.base_url is not None]
    if own:
        usable = True
        parts.append(f"of your own: {', '.join(own)}")
    text = ", ".join(parts)
    if usable:
        return Finding("models", "works", text)
    troubles = [f"{error.message}. {error.next_step}".strip() for error in search.troubles.values()]
    return Finding("models", "limited", f"scripted studies only: {text}", " / ".join((*troubles, fixes[0])))


def modal() -> Finding:
    """Where GPUs can be had: whether a token is there, and whether Modal accepts it."""
    search = asyncio.run(key_store().search([MODAL_ID, MODAL_SECRET]))
    halves = [search.found[name].secret for name in (MODAL_ID, MODAL_SECRET) if name in search.found]
    if len(halves) < len(OTHER_HALF):
        missing = [name for name in (MODAL_ID, MODAL_SECRET) if name not in search.found]
        troubles = [str(error) for error in search.troubles.values()]
        get = f"For GPUs: get a token at {KEY_NAMES[MODAL_ID].url}, then 'fumehood keys set {missing[0]}'"
        text = f"no token ({' and '.join(missing)} missing); experiments run on this machine"
        return Finding("Modal", "limited", text, " / ".join((*troubles, get)))
    verdict = asyncio.run(check_token(Credentials(*halves)))
    title = search.found[MODAL_SECRET].title
    if verdict.state == "works":
        return Finding("Modal", "works", f"answers, and accepts the token (key: {title})")
    if verdict.state == "refused":
        again = f"Make a token at {KEY_NAMES[MODAL_ID].url}, then 'fumehood keys set' for both halves"
        return Finding("Modal", "limited", f"refuses the token: {verdict.reason}", again)
    text = f"a token is there (key: {title}); {verdict.reason}"
    return Finding("Modal", "limited", text, CHECK_NETWORK)


def keyring() -> Finding:
    """Where keys are kept. Nothing is stored, and nobody is asked to unlock anything."""
    place = key_store().keyring
    try:
        asyncio.run(place.get([]))
    except KeysError as error:
        return Finding("keyring", "limited", error.message, error.next_step)
    return Finding("keyring", "works", f"{place.title} answers")


def terminal() -> Finding:
    """What output can look like."""
    size = shutil.get_terminal_size((0, 0))
    encoding = codecs.lookup(sys.stdout.encoding or "ascii").name
    colours = "no" if not wants_colours() else os.environ.get("COLORTERM") or "16"
    facts = [
        f"TERM={os.environ.get('TERM', '')}",
        f"{size.columns}×{size.lines}" if size.columns else "no terminal",
        encoding,
        f"{colours} colours" + (" (NO_COLOR is set)" if os.environ.get("NO_COLOR") else ""),
    ]
    if encoding != "utf-8":
        fix = "Set LANG=C.UTF-8 for proper glyphs; until then they are ASCII"
        return Finding("terminal", "limited", ", ".join(facts), fix)
    if 0 < size.columns < NARROW_COLUMNS or 0 < size.lines < LOW_ROWS:
        return Finding(
            "terminal",
            "limited",
            ", ".join(facts),
            f"{NARROW_COLUMNS}×{LOW_ROWS} is the least that reads well",
        )
    return Finding("terminal", "works", ", ".join(facts))


def logging_out() -> Finding:
    """Whether an engine outlives its user's session."""
    if shutil.which("busctl") is None:
        return Finding("logging out", "works", "no systemd that would end engines")
    manager = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
    try:
        said = subprocess.run(
            ["busctl", "get-property", *manager, "KillUserProcesses"],
            env=child_environment(),
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        said = []
    if said == ["b", "false"]:
        return Finding("logging out", "works", "engines go on when you log out")
    if said != ["b", "true"]:
        return Finding("logging out", "works", "no login manager answers that would end engines")
    return Finding(
        "logging out",
        "limited",
        "systemd ends your processes, engines too, when you log out (KillUserProcesses=yes)",
        "loginctl enable-linger, then start runs with: systemd-run --user --scope fumehood run …",
    )
