"""Runs a module of the tests as a plain user, also where the tests themselves run as root.

Root is held to fewer limits than anybody else, so what holds for root says little. The user may not
be able to read the checkout, so a copy is made of what the module needs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uv

ROOT = Path(__file__).parents[3]
USERS = ("plain", "nobody")
LIBRARIES = (
    "annotated_types",
    "packaging",
    "platformdirs",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
    "uv",
)


@contextlib.contextmanager
def plain_folder() -> Iterator[Path]:
    """A folder that the plain user owns."""
    with tempfile.TemporaryDirectory(prefix="attack_run") as name:
        folder = Path(name)
        if os.getuid() == 0:
            user = plain_user()
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield folder


def plain_user() -> pwd.struct_passwd:
    """Whoever is there and is not root."""
    for name in USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError("this machine has no plain user")


def run_as_plain_user(module: str, folder: Path) -> str:
    """Run a module with a folder as its home and argument; returns what it printed."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder)}
    if os.getuid() != 0:
        return _run([sys.executable, "-m", module, str(folder)], ROOT, environment)
    user = plain_user()
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        copy.chmod(0o755)
        _copy_sources(copy)
        environment.update(PYTHONPATH=f"{copy}:{copy / 'libraries'}", PYTHONDONTWRITEBYTECODE="1")
        command = [system_python(), "-m", module, str(folder)]
        return _run(command, copy, environment, user)


def system_python() -> str:
    """An interpreter of our own version that every user can run; empty if there is none."""
    path = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return path if Path(path).exists() else ""


def _copy_sources(copy: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "test_*")
    shutil.copytree(ROOT / "core", copy / "core", ignore=ignore)
    shutil.copytree(ROOT / "tests/core/sandbox", copy / "tests/core/sandbox", ignore=ignore)
    for package in ("tests", "tests/core"):
        (copy / package / "__init__.py").touch()
    libraries = copy / "libraries"
    (libraries / "bin").mkdir(parents=True)
    for name in LIBRARIES:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        origin = Path(found.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, libraries / name, ignore=ignore)
        else:
            shutil.copy(origin, libraries)
    shutil.copy(uv.find_uv_bin(), libraries / "bin" / "uv")


def _run(
    command: list[str], folder: Path, environment: dict[str, str], user: pwd.struct_passwd | None = None
) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else [],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
