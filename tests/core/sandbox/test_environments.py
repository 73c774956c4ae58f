"""Environments for experiments, made by the real uv from wheels that the tests make."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core.errors import PackagesUnavailable, SandboxUnavailable
from core.sandbox.environments import Environment, ready_environment
from tests.core.sandbox.conftest import wait_until

ROOT = Path(__file__).parents[3]


def make_wheel(folder: Path, name: str, version: str = "1.0", requires: str = "") -> None:
    """Write a wheel with one module that knows its version."""
    described = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    described += f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{name}-{version}.dist-info/METADATA": described,
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-{version}.dist-info/RECORD"
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}\n")
    files[record] = "".join(lines) + f"{record},,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """A user whose packages come from a folder and from nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("tinystat", "tinyplot"):
        make_wheel(wheels, name)
    make_wheel(wheels, "tinystat", "2.0")
    settings = tmp_path / "settings.toml"
    settings.write_text(f'no-index = true\nfind-links = ["{wheels}"]\n')
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "UV_CONFIG_FILE": str(settings),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
    }


def make(tmp_path: Path, variables: dict[str, str], *packages: str) -> tuple[Environment, list[str]]:
    """Make an environment; returns it and what was said meanwhile."""
    said: list[str] = []
    cache = tmp_path / "cache"
    environment = asyncio.run(ready_environment(packages, cache, said.append, variables=variables))
    return environment, said


def evaluate(environment: Environment, code: str) -> str:
    done = subprocess.run(
        [environment.python, "-c", code], capture_output=True, text=True, timeout=30, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_cache_that_cannot_be_used_is_an_error_with_a_way_out(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(SandboxUnavailable, match="XDG_CACHE_HOME"):
        make(tmp_path, variables, "tinystat")


def test_an_environment_has_its_packages_and_says_what_it_installs(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    environment, said = make(tmp_path, variables, "tinystat<2", "tinyplot")
    assert evaluate(environment, "import tinystat, tinyplot; print(tinystat.VERSION)") == "1.0"
    assert any("tinystat" in line for line in said)


def test_an_environment_is_made_once_and_whatever_the_order(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    first, _ = make(tmp_path, variables, "tinystat", "tinyplot")
    second, said = make(tmp_path, variables, "tinyplot", "tinystat")
    assert first == second
    assert said == []


def test_an_environment_without_packages_has_none_of_the_apps(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    environment, _ = make(tmp_path, variables)
    code = "import importlib.util as u; print(u.find_spec('pydantic'), u.find_spec('json') is not None)"
    assert evaluate(environment, code) == "None True"


def test_a_package_that_does_not_exist_is_named(tmp_path: Path, variables: dict[str, str]) -> None:
    with pytest.raises(PackagesUnavailable, match="no-such-package") as caught:
        make(tmp_path, variables, "no-such-package")
    assert "does not have all of them" in caught.value.message
    assert "Check the names" in caught.value.next_step


def test_packages_that_contradict_each_other_are_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    with pytest.raises(PackagesUnavailable, match="tinystat"):
        make(tmp_path, variables, "tinystat<2", "tinystat>=2")


def test_a_package_without_a_wheel_is_not_built(tmp_path: Path, variables: dict[str, str]) -> None:
    source = tmp_path / "wheels" / "onlysource-1.0.tar.gz"
    source.write_bytes(b"")
    with pytest.raises(PackagesUnavailable, match="as wheels") as caught:
        make(tmp_path, variables, "onlysource")
    assert "onlysource" in caught.value.message


def test_an_index_that_cannot_be_reached_is_told_from_a_wrong_name(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        del variables["UV_CONFIG_FILE"]
        variables |= {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple", "UV_HTTP_RETRIES": "0"}
        with pytest.raises(PackagesUnavailable, match="tinystat") as caught:
            make(tmp_path, variables, "tinystat")
    assert "cannot be reached" in caught.value.message
    assert "network" in caught.value.next_step


def test_an_environment_that_was_given_up_half_way_is_made_again(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    environment, _ = make(tmp_path, variables, "tinystat")
    (environment.folder / ".complete").unlink()
    (environment.folder / "pyvenv.cfg").unlink()
    again, said = make(tmp_path, variables, "tinystat")
    assert again == environment
    assert said
    assert evaluate(again, "import tinystat; print(tinystat.VERSION)") == "2.0"


SLOW_MAKER = """
import asyncio, os, signal, sys
from pathlib import Path
from core.sandbox.environments import ready_environment

def progress(line):
    if os.environ.get("DIE"):
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(ready_environment(["tinystat", "tinyplot"], Path(sys.argv[1]), progress))
"""


def start_maker(cache: Path, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SLOW_MAKER, str(cache)], cwd=ROOT, env=variables)


def test_a_killed_maker_is_survived(tmp_path: Path, variables: dict[str, str]) -> None:
    assert start_maker(tmp_path / "cache", variables | {"DIE": "1"}).wait(30) == -signal.SIGKILL
    environment, _ = make(tmp_path, variables, "tinystat", "tinyplot")
    assert evaluate(environment, "import tinystat, tinyplot; print('both')") == "both"


def test_two_makers_at_once_make_one_environment(tmp_path: Path, variables: dict[str, str]) -> None:
    makers = [start_maker(tmp_path / "cache", variables) for _ in range(3)]
    assert [maker.wait(30) for maker in makers] == [0, 0, 0]
    environment, said = make(tmp_path, variables, "tinystat", "tinyplot")
    assert said == []
    assert evaluate(environment, "import tinystat, tinyplot; print('both')") == "both"


def test_cancelling_ends_uv(tmp_path: Path, variables: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        del variables["UV_CONFIG_FILE"]
        variables["UV_DEFAULT_INDEX"] = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"

        async def cancel() -> None:
            making = asyncio.create_task(
                ready_environment(["tinystat"], tmp_path / "cache", lambda _: None, variables=variables)
            )
            silent.setblocking(False)
            accepting = asyncio.get_running_loop().sock_accept(silent)
            caller, _ = await asyncio.wait_for(accepting, 20)
            with caller:
                making.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await making

        asyncio.run(cancel())
    mark = str(tmp_path / "cache").encode()
    wait_until(lambda: not any_process_with(mark), "uv to end")


def any_process_with(mark: bytes) -> bool:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


def test_only_what_uv_needs_of_the_users_environment_reaches_it(
    tmp_path: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "uv-program"
    seen = tmp_path / "seen"
    program.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(program))
    variables |= {
        "ANTHROPIC_API_KEY": "canary",
        "HTTPS_PROXY": "http://proxy",
        "PIP_EXTRA_INDEX_URL": "http://x",
    }
    variables |= {"UV_INDEX_PRIVATE_PASSWORD": "secret"}
    with pytest.raises(SandboxUnavailable, match="No environment"):
        make(tmp_path, variables, "tinystat")
    environment = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert "ANTHROPIC_API_KEY" not in environment
    assert environment["HTTPS_PROXY"] == "http://proxy"
    assert environment["UV_INDEX"] == "http://x"
    assert environment["UV_INDEX_PRIVATE_PASSWORD"] == "secret"


def test_of_the_interpreter_only_its_program_and_libraries_are_shown_to_a_box(tmp_path: Path) -> None:
    prefix = tmp_path / ".local"
    for folder in ("bin", "lib", "share/keyrings"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "bin/python3.11").touch()
    environment = Environment(tmp_path / "environment")
    (environment.folder / "bin").mkdir(parents=True)
    environment.python.symlink_to(prefix / "bin/python3.11")
    assert environment.paths == (environment.folder, prefix / "bin/python3.11", prefix / "lib")
