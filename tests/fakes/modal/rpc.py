"""Serving some of the methods of a gRPC service, by name, with faults in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeAlias

from grpclib import GRPCError, Status
from grpclib.const import Cardinality, Handler
from modal_proto import api_pb2

from tests.fakes.modal.faults import Fault
from tests.fakes.modal.world import World

Headers: TypeAlias = Mapping[str, Any]


class _Names:
    """Stands in for a service, so that its generated table gives names instead of methods."""

    def __getattr__(self, name: str) -> str:
        return name


def mapping(base: Any, service: object, world: World) -> dict[str, Handler]:
    """The table of a service: what ``service`` has under a method's name is served, the rest is refused.

    Args:
        base: the generated base class, which knows paths and message types.
        service: has ``async def Name(request, headers)`` for each method that is served; an async
            generator where the reply is a stream, and an iterator of requests where those are.
        world: knows what goes wrong.
    """
    table: dict[str, Handler] = base.__mapping__(_Names())
    return {path: _served(handler, service, world) for path, handler in table.items()}


def _served(handler: Handler, service: object, world: World) -> Handler:
    name = str(handler.func)
    method: Callable[..., Any] | None = getattr(service, name, None)

    async def serve(stream: Any) -> None:
        if method is None:
            raise GRPCError(Status.UNIMPLEMENTED, f"the double does not know {name}")
        fault = world.faults.take(name)
        if fault is not None and fault.kind in ("fail", "hang", "disconnect"):
            await _go_wrong(stream, fault)
        if handler.cardinality is Cardinality.UNARY_STREAM:
            request = await stream.recv_message()
            await _send_all(stream, method(request, stream.metadata), fault)
            return
        if handler.cardinality is Cardinality.STREAM_UNARY:
            reply = await method(_requests(stream), stream.metadata)
        else:
            reply = await method(await stream.recv_message(), stream.metadata)
        if fault is not None:
            await _go_wrong(stream, fault)
        await stream.send_message(handler.reply_type() if reply is None else reply)

    return Handler(serve, handler.cardinality, handler.request_type, handler.reply_type)


async def _requests(stream: Any) -> AsyncIterator[Any]:
    while (request := await stream.recv_message()) is not None:
        yield request


async def _send_all(stream: Any, replies: AsyncIterator[Any], fault: Fault | None) -> None:
    sent = 0
    async for reply in replies:
        if fault is not None and sent >= fault.after_messages:
            await _go_wrong(stream, fault)
        await stream.send_message(reply)
        sent += 1
    if fault is not None:
        await _go_wrong(stream, fault)


async def _go_wrong(stream: Any, fault: Fault) -> None:
    if fault.kind in ("hang", "silence"):
        await asyncio.Event().wait()
    if fault.kind in ("disconnect", "cut connection"):
        stream._stream.connection._transport.abort()
        await asyncio.sleep(0)
    details = None
    if fault.retry_after_seconds is not None:
        details = [api_pb2.RPCRetryPolicy(retry_after_secs=fault.retry_after_seconds)]
    raise GRPCError(Status[fault.status], fault.message, details)
