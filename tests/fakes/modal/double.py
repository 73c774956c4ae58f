"""The double as tests hold it: a process of its own, its address and its switches."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from grpclib.client import Channel, UnaryUnaryMethod
from modal_proto.api_pb2 import Warning as Text

from tests.fakes.modal.switches import PATH
from tests.fakes.modal.world import TOKEN

ROOT = Path(__file__).parents[3]


class ModalDouble:
    """A double in a process of its own.

    Args:
        folder: where its sandboxes live.
        environments: where real environments for images are kept; None to install nothing.

    Attributes:
        url: its address, for ``MODAL_SERVER_URL``.
    """

    token = TOKEN

    def __init__(self, folder: Path, environments: Path | None = None) -> None:
        command = [sys.executable, "-m", "tests.fakes.modal_server", "--attached", "--folder", str(folder)]
        if environments is not None:
            command += ["--environments", str(environments)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the double did not start"

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """Switch something, and get what was seen so far."""
        return asyncio.run(self.acall(do, **fields))

    async def acall(self, do: str, **fields: Any) -> dict[str, Any]:
        """``call``, inside a running loop."""
        host, port = self.url.removeprefix("http://").split(":")
        channel = Channel(host, int(port))
        try:
            method: UnaryUnaryMethod[Any, Any] = UnaryUnaryMethod(channel, PATH, Text, Text)
            reply = await method(Text(message=json.dumps({"do": do, **fields})), timeout=30)
        finally:
            channel.close()
        answer: dict[str, Any] = json.loads(reply.message)
        return answer

    def close(self) -> None:
        """End it, with everything that runs in its sandboxes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
