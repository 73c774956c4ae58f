"""Virtual environments for experiments: one for each list of packages, made by uv and kept.

An environment holds the packages that were asked for and nothing of the app's own. It keeps the
versions that it was first made with. Only wheels are installed: building a source distribution
would run its author's code outside the box.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uv

from core.ending import end
from core.errors import PackagesUnavailable, SandboxUnavailable

COMPLETE = ".complete"
"""Made last: an environment without it was given up half way and is made again."""

LOCK_POLL_SECONDS = 0.1

PASSED_ON = frozenset(
    (
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "XDG_CONFIG_DIRS",
        "NETRC",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "SSL_CLIENT_CERT",
        "UV_INDEX",
        "UV_DEFAULT_INDEX",
        "UV_INDEX_URL",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_INDEX_STRATEGY",
        "UV_KEYRING_PROVIDER",
        "UV_NATIVE_TLS",
        "UV_SYSTEM_CERTS",
        "UV_OFFLINE",
        "UV_CACHE_DIR",
        "UV_LINK_MODE",
        "UV_HTTP_TIMEOUT",
        "UV_HTTP_RETRIES",
        "UV_INSECURE_HOST",
        "UV_CONFIG_FILE",
        "UV_NO_CONFIG",
        "UV_EXCLUDE_NEWER",
        "UV_CONCURRENT_DOWNLOADS",
    )
)
"""Variables of the user's that uv gets: where packages come from, and the way there."""

FROM_PIP = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}
"""Settings that people have for pip and that uv knows by other names."""

NETWORK_SIGNS = (
    "failed to fetch",
    "error sending request",
    "dns error",
    "connection refused",
    "timed out",
    "network was disabled",
    "network connectivity is disabled",
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is ready for use.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def paths(self) -> tuple[Path, ...]:
        """Everything a script must be able to read to use it, beside ``/usr``.

        Of the base interpreter only the program and its libraries are named, never the folder that
        holds them: that may be the user's ``~/.local``.
        """
        program = Path(os.readlink(self.python))  # noqa: PTH115 (one step, not to the end)
        programs = dict.fromkeys((program, program.resolve()))
        libraries = dict.fromkeys(path.parent.parent / "lib" for path in programs)
        needed = (*programs, *libraries)
        return (self.folder, *(path for path in needed if not path.is_relative_to("/usr") and path.exists()))


async def ready_environment(
    packages: Sequence[str],
    cache: Path,
    progress: Callable[[str], None],
    *,
    variables: Mapping[str, str] = os.environ,
) -> Environment:
    """The environment with these packages, made now if it is not there yet.

    Any number of processes may ask for the same one at once: one makes it, the others wait.

    Args:
        packages: requirements as pip writes them.
        cache: the folder that holds environments.
        progress: called with each line that shows progress.
        variables: the user's environment variables.

    Raises:
        PackagesUnavailable: the packages cannot be installed.
        SandboxUnavailable: the environment cannot be made for other reasons.
    """
    environment = Environment(cache / _name(packages))
    try:
        if (environment.folder / COMPLETE).exists():
            return environment
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with _locked(environment.folder.with_suffix(".lock"), progress) as lock:
            if not (environment.folder / COMPLETE).exists():
                run_uv = _Uv(cache, _variables_for_uv(variables), lock)
                await _make(environment, packages, progress, run_uv)
    except OSError as error:
        raise SandboxUnavailable(
            f"No environment for experiments can be kept in {cache}: {error.strerror or error}",
            "Make room there and see that it can be written, or set XDG_CACHE_HOME to another folder",
        ) from error
    return environment


def _base_python() -> Path:
    return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()


def _name(packages: Sequence[str]) -> str:
    parts = (*sorted(packages), platform.python_version(), platform.machine(), str(_base_python()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _variables_for_uv(variables: Mapping[str, str]) -> dict[str, str]:
    passed = {
        name: value
        for name, value in variables.items()
        if name in PASSED_ON or (name.startswith("UV_INDEX_") and name.endswith(("_USERNAME", "_PASSWORD")))
    }
    for name, known_as in FROM_PIP.items():
        if name in variables:
            passed.setdefault(known_as, variables[name])
    return passed


@contextlib.asynccontextmanager
async def _locked(path: Path, progress: Callable[[str], None]) -> AsyncIterator[int]:
    """Hold a lock; gives its file descriptor."""
    with path.open("w") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress("Waiting for another process that installs the same packages")
                told = True
                await asyncio.sleep(LOCK_POLL_SECONDS)
        yield file.fileno()


async def _make(
    environment: Environment, packages: Sequence[str], progress: Callable[[str], None], uv_program: _Uv
) -> None:
    folder = environment.folder
    if folder.exists():
        shutil.rmtree(folder)
    make = ["venv", "--no-project", "--no-python-downloads", "--python", str(_base_python()), str(folder)]
    exit_code, printed = await uv_program.run(make, lambda _: None)
    if exit_code != 0:
        raise SandboxUnavailable(
            f"No environment for experiments can be made: {_tail(printed)}",
            f"Look at {folder.parent}: is the disk full or forbidden?",
        )
    if packages:
        progress(f"Installing {', '.join(packages)}")
        install = ["pip", "install", "--only-binary", ":all:", "--compile-bytecode", "--color", "never"]
        install += ["--python", str(environment.python), "--", *packages]
        exit_code, printed = await uv_program.run(install, progress)
        if exit_code != 0:
            raise _unavailable(packages, printed)
    (folder / COMPLETE).touch()


@dataclass(frozen=True)
class _Uv:
    """How uv is run.

    Attributes:
        folder: where it starts; no project of the user's is found from there.
        variables: its whole environment.
        lock: a file descriptor that it holds open, so that the lock outlives us as long as it does.
    """

    folder: Path
    variables: Mapping[str, str]
    lock: int

    async def run(self, arguments: Sequence[str], progress: Callable[[str], None]) -> tuple[int, str]:
        """Run uv to its end, or end it when cancelled.

        Returns:
            Its exit code and what it printed.
        """
        process = await asyncio.create_subprocess_exec(
            uv.find_uv_bin(),
            *arguments,
            cwd=self.folder,
            env=dict(self.variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(self.lock,),
        )
        assert process.stdout is not None
        printed: list[str] = []
        try:
            async for line in process.stdout:
                text = line.decode(errors="replace").rstrip()
                if text:
                    printed.append(text)
                    progress(text)
            exit_code = await process.wait()
        finally:
            await end(process, group=True)
        return exit_code, "\n".join(printed)


def _unavailable(packages: Sequence[str], printed: str) -> PackagesUnavailable:
    names, said = ", ".join(packages), " ".join(printed.split()).lower()
    if any(sign in said for sign in NETWORK_SIGNS):
        return PackagesUnavailable(
            f"The packages {names} cannot be fetched: the package index cannot be reached",
            f"Check the network and the proxy and index settings. uv says: {_tail(printed)}",
        )
    if "not found in the package registry" in said or "not found in the provided package locations" in said:
        return PackagesUnavailable(
            f"The packages {names} cannot be installed: the package index does not have all of them",
            f"Check the names. uv says: {_tail(printed)}",
        )
    if "wheel" in said or "source" in said:
        return PackagesUnavailable(
            f"The packages {names} cannot be installed: not all of them come as wheels for this machine",
            f"Choose other versions or packages. uv says: {_tail(printed)}",
        )
    return PackagesUnavailable(
        f"The packages {names} cannot be installed together", f"uv says: {_tail(printed)}"
    )


def _tail(printed: str) -> str:
    return " ".join(printed.split())[-300:] or "nothing"
