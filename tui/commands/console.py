"""``fumehood serve``: the console in a browser."""

from __future__ import annotations

import asyncio
import errno
import shlex
import sys

import click

from core.errors import InputError
from tui.exit_codes import ExitCode
from tui.screen import Screen

REFUSED = {
    errno.EADDRINUSE: ("something listens there already", "Name another --port."),
    errno.EADDRNOTAVAIL: ("this machine has no such address", "Name one of its own, or leave --host out."),
    errno.EACCES: ("the system does not allow that port", "Name a --port from 1024 up."),
}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on.  [default: a free one]")
def serve(host: str, port: int | None) -> ExitCode:
    """Show the console in a browser.

    Only this machine can reach it, and only with the token in the address that is printed. From elsewhere,
    forward the port: 'ssh -L 8000:127.0.0.1:8000 MACHINE', here with --port 8000.
    """
    from tui.serving import GuardedServer, free_port, is_loopback

    screen = Screen.of()
    if not is_loopback(host):
        screen.line(
            f"Warning: {host} can be reached from other machines, and what is typed and shown is not"
            " encrypted. Whoever has the address below can approve experiments and spend money."
        )
    command = shlex.join([sys.executable, "-m", "tui.cli"])
    try:
        server = GuardedServer(
            command, host, port or free_port(host), lambda address: _announce(screen, address)
        )
        asyncio.run(server.run())
    except OSError as error:
        why, next_step = REFUSED.get(
            error.errno or 0, (error.strerror or str(error), "Check --host and --port.")
        )
        raise InputError(f"cannot listen on {host}: {why}", next_step) from None
    return ExitCode.DONE


def _announce(screen: Screen, address: str) -> None:
    screen.line(f"The console is at  {address}")
    screen.line("Keep the address to yourself. Ctrl-C ends this; runs go on.")
