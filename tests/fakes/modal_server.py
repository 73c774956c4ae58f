"""The double of Modal as a process of its own, which outlives whoever uses it.

``python -m tests.fakes.modal_server --port 0 --folder FOLDER`` prints its address, then serves until
it is told to end (SIGTERM, or the end of its standard input with ``--attached``). The vendor's own
SDK talks to it with ``MODAL_SERVER_URL`` set to that address; commands run as processes of this
machine, below the folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from grpclib.server import Server
from modal._utils.grpc_utils import custom_detail_codec
from modal_proto.api_grpc import ModalClientBase
from modal_proto.task_command_router_grpc import TaskCommandRouterBase

from tests.fakes.modal.control import ControlPlane
from tests.fakes.modal.router import Router
from tests.fakes.modal.rpc import mapping
from tests.fakes.modal.switches import Switchboard, reset, switches
from tests.fakes.modal.volumes import serve_blocks
from tests.fakes.modal.world import World


async def serve(port: int, folder: Path, environments: Path | None, *, attached: bool) -> None:
    """Serve until told to end; then everything that ran in sandboxes is ended too."""
    world = World(folder, environments)
    blocks = await serve_blocks(world)

    def faulty(base: object, service: object) -> Switchboard:
        return Switchboard(mapping(base, service, world))

    server = Server(
        [
            faulty(ModalClientBase, ControlPlane(world)),
            faulty(TaskCommandRouterBase, Router(world)),
            Switchboard(switches(world)),
        ],
        status_details_codec=custom_detail_codec,
    )
    await server.start("127.0.0.1", port)
    listening: Any = server._server
    world.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    print(world.url, flush=True)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_signal_handler(signal.SIGINT, over.set)
    if attached:
        loop.add_reader(sys.stdin, lambda: None if os.read(0, 1024) else over.set())
    await over.wait()
    await reset(world)
    server.close()
    await blocks.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A double of Modal's servers on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--environments", type=Path)
    parser.add_argument("--attached", action="store_true")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.folder, arguments.environments, attached=arguments.attached))


if __name__ == "__main__":
    main()
