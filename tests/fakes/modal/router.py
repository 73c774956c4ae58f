"""The command router: commands in a sandbox, and what they read and print."""
# The methods' names are the vendor's.

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpclib import GRPCError, Status
from modal_proto import task_command_router_pb2 as messages

from tests.fakes.modal.machine import Command, Machine
from tests.fakes.modal.rpc import Headers
from tests.fakes.modal.world import World


class Router:
    """Serves ``TaskCommandRouter``."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def TaskExecStart(self, request: Any, headers: Headers) -> Any:
        machine = self._machine(request.task_id, headers)
        environment = dict(request.env)
        for source in request.secret_sources:
            environment |= self.world.secrets.get(source.secret_id, {})
            environment |= dict(source.env.contents)
        await machine.run(request.exec_id, request, self.world.environment_of(machine) | environment)
        return messages.TaskExecStartResponse()

    async def TaskExecStdioRead(self, request: Any, headers: Headers) -> AsyncIterator[Any]:
        command = self._command(request, headers)
        offset = request.offset
        standard_error = messages.TASK_EXEC_STDIO_FILE_DESCRIPTOR_STDERR
        stream = 2 if request.file_descriptor == standard_error else 1
        while chunk := await command.read(stream, offset):
            offset += len(chunk)
            yield messages.TaskExecStdioReadResponse(data=chunk)
        if not self._machine(request.task_id, headers, alive=False).alive:
            raise GRPCError(Status.NOT_FOUND, "the task is gone")

    async def TaskExecStdinWrite(self, request: Any, headers: Headers) -> Any:
        await self._command(request, headers).write(request.offset, request.data, end=request.eof)
        return messages.TaskExecStdinWriteResponse()

    async def TaskExecStdinWriteStream(self, requests: AsyncIterator[Any], headers: Headers) -> Any:
        start = (await anext(requests)).start
        command, offset = self._command(start, headers), start.offset
        async for request in requests:
            if request.HasField("end"):
                await command.write(offset, b"", end=True)
                break
            await command.write(offset, request.data, end=False)
            offset += len(request.data)
        return messages.TaskExecStdinWriteStreamResponse()

    async def TaskExecStdinStatus(self, request: Any, headers: Headers) -> Any:
        command = self._command(request, headers)
        return messages.TaskExecStdinStatusResponse(
            num_bytes_written=command.stdin_bytes, closed=command.stdin_closed
        )

    async def TaskExecWait(self, request: Any, headers: Headers) -> Any:
        code = await self._command(request, headers).wait()
        self._machine(request.task_id, headers)
        if code < 0:
            return messages.TaskExecWaitResponse(signal=-code)
        return messages.TaskExecWaitResponse(code=code)

    async def TaskExecPoll(self, request: Any, headers: Headers) -> Any:
        code = self._command(request, headers).exit_code
        if code is None:
            return messages.TaskExecPollResponse()
        if code < 0:
            return messages.TaskExecPollResponse(signal=-code)
        return messages.TaskExecPollResponse(code=code)

    async def TaskReloadVolumes(self, request: Any, headers: Headers) -> Any:
        for mount in self._machine(request.task_id, headers).mounts:
            mount.reload()
        return messages.TaskReloadVolumesResponse()

    def _machine(self, task_id: str, headers: Headers, *, alive: bool = True) -> Machine:
        if not str(headers.get("authorization", "")).startswith("Bearer "):
            raise GRPCError(Status.UNAUTHENTICATED, "no token")
        machine = next((one for one in self.world.machines.values() if one.task_id == task_id), None)
        if machine is None or (alive and not machine.alive):
            raise GRPCError(Status.NOT_FOUND, f"no task {task_id}")
        return machine

    def _command(self, request: Any, headers: Headers) -> Command:
        machine = self._machine(request.task_id, headers)
        if request.exec_id not in machine.commands:
            raise GRPCError(Status.NOT_FOUND, f"no exec {request.exec_id}")
        return machine.commands[request.exec_id]
