"""Runs every attack against real sandboxes and prints what became of each, as JSON.

A program of its own, so that it can be run as another user than the tests.
"""

from __future__ import annotations

import asyncio
import ctypes
import dataclasses
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from core.experiment import Compute
from core.sandbox.base import Isolation, SandboxSpec
from core.sandbox.isolation import found_isolation
from core.sandbox.local import LocalProvider
from core.sandbox.local_sandbox import LocalSandbox
from tests.core.sandbox.attacks import EXHAUSTIONS, POSSIBLE_WITHOUT_A_BOX, THEFTS, TRY

COMPUTE = Compute(timeout_seconds=60, memory_gib=0.2, disk_gib=0.1, processes=24)
KEYCTL = {"x86_64": (248, 250), "aarch64": (217, 219)}
AT_ONCE = 4
MOST_TASKS = 3000


def serve(server: socket.socket) -> None:
    """Answer every caller with a secret."""
    while True:
        caller, _ = server.accept()
        caller.sendall(b"canary")
        caller.close()


def answer(server: socket.socket) -> None:
    """Answer every datagram with a secret."""
    while True:
        _, address = server.recvfrom(100)
        server.sendto(b"canary", address)


def store_key(name: str) -> int:
    """Put a key where desktops keep them: the user's keyring, reachable from the session's."""
    add_key, keyctl = KEYCTL[os.uname().machine]
    libc = ctypes.CDLL(None)
    libc.syscall(keyctl, 8, -4, -3)
    return int(libc.syscall(add_key, b"user", name.encode(), b"canary", 6, -3))


def bait(folder: Path) -> dict[str, str]:
    """Lay out everything that there is to steal; returns what thieves are told."""
    secrets = folder / "home" / ".ssh"
    secrets.mkdir(parents=True)
    (secrets / "id_ed25519").write_text("canary")
    os.environ["ANTHROPIC_API_KEY"] = "canary"
    name = f"fumehood-{os.getpid()}"
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    servers = [tcp]
    for address in (str(folder / "bus"), "\0" + name):
        bus = socket.socket(socket.AF_UNIX)
        bus.bind(address)
        bus.listen()
        servers.append(bus)
    # Threads, because the attacks are run by the loop and these only block.
    for server in servers:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
    threading.Thread(target=answer, args=(udp,), daemon=True).start()
    return {
        "KEY_FILE": str(secrets / "id_ed25519"),
        "APP_PID": str(os.getpid()),
        "TCP_PORT": str(tcp.getsockname()[1]),
        "UDP_PORT": str(udp.getsockname()[1]),
        "BUS_PATH": str(folder / "bus"),
        "BUS_NAME": name,
        "KEY_NAME": name,
        "KEY_NUMBER": str(store_key(name)),
    }


def survivors(sandbox: LocalSandbox) -> list[str]:
    """Processes of a sandbox that still live."""
    mark, found = str(sandbox.folder).encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes() or mark in (folder / "cmdline").read_bytes():
                found.append(folder.name)
        except OSError:
            continue
    return found


async def survivors_after_a_while(sandbox: LocalSandbox) -> list[str]:
    """The same, but for supervisors that have said their last word and are about to leave."""
    for _ in range(100):
        if not survivors(sandbox):
            break
        await asyncio.sleep(0.02)
    return survivors(sandbox)


class Arena:
    """Where attacks run, a few at a time."""

    def __init__(self, folder: Path, told: dict[str, str]) -> None:
        self.folder = folder
        self.told = told
        self.free = asyncio.Semaphore(AT_ONCE)
        self.killed = 0
        self.outcomes: dict[str, Any] = {}

    async def attack(self, isolation: Isolation, name: str, code: str, seconds: float) -> None:
        """Run one attack and note what became of it."""
        provider = LocalProvider(self.folder / isolation, isolation=isolation, cache=self.folder / "cache")
        spec = SandboxSpec("run", COMPUTE, environment=self.told)
        async with self.free:
            sandbox = await provider.open(spec, name.replace(" ", "-").replace("'", ""), lambda _: None)
            if seconds:
                sandbox = dataclasses.replace(sandbox, ends_at=time.time() + seconds)
            await sandbox.start("x", TRY + code)
            result = await sandbox.wait("x")
            output = b"".join([chunk async for chunk in sandbox.output("x", 0)])
            left = await survivors_after_a_while(sandbox)
            await sandbox.close()
        self.outcomes[f"{isolation}: {name}"] = {
            **dataclasses.asdict(result),
            "output": output[:20_000].decode(errors="replace"),
            "left": left,
        }

    async def run(self) -> dict[str, Any]:
        """Run every attack."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._was_hit)
        found = await found_isolation()
        async with asyncio.TaskGroup() as group:
            for name, exhaustion in EXHAUSTIONS.items():
                isolations: list[Isolation] = ["process only"]
                if found.isolation == "namespaces":
                    isolations.append("namespaces")
                for isolation in isolations:
                    group.create_task(self.attack(isolation, name, exhaustion.code, exhaustion.seconds))
            for name, code in THEFTS.items():
                if found.isolation == "namespaces":
                    group.create_task(self.attack("namespaces", name, code, 0))
                if name in POSSIBLE_WITHOUT_A_BOX:
                    group.create_task(self.attack("process only", name, code, 0))
        return {"next_step": found.next_step, "hits": self.killed, "outcomes": self.outcomes}

    def _was_hit(self) -> None:
        self.killed += 1


def limit_damage() -> None:
    """Keep a bomb that nobody defuses from taking the machine: none but its own user's tasks fail.

    The kernel does not hold root to this limit, so root does not run attacks.
    """
    if os.getuid() == 0:
        sys.exit("attacks are not run as root")
    resource.setrlimit(resource.RLIMIT_NPROC, (MOST_TASKS, MOST_TASKS))


if __name__ == "__main__":
    limit_damage()
    place = Path(sys.argv[1])
    print(json.dumps(asyncio.run(Arena(place, bait(place)).run())))
