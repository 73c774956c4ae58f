"""The double's own method, by which tests switch faults and ask what was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grpclib.const import Cardinality, Handler
from modal_proto.api_pb2 import Warning as Text

from tests.fakes.modal.machine import RESULT
from tests.fakes.modal.world import World

PATH = "/fumehood.Double/Call"


def switches(world: World) -> dict[str, Handler]:
    """The table of the double's own service: one method that takes and gives JSON."""

    async def call(stream: Any) -> None:
        asked = json.loads((await stream.recv_message()).message)
        answer = await _answer(world, asked.pop("do"), asked)
        await stream.send_message(Text(message=json.dumps(answer)))

    return {PATH: Handler(call, Cardinality.UNARY_UNARY, Text, Text)}


class Switchboard:
    """What grpclib wants of a service."""

    def __init__(self, table: dict[str, Handler]) -> None:
        self.table = table

    def __mapping__(self) -> dict[str, Handler]:
        return self.table


async def _answer(world: World, verb: str, fields: dict[str, Any]) -> Any:
    if verb == "fault":
        world.faults.add(fields)
    elif verb == "heal":
        world.faults.clear()
    elif verb == "no room":
        world.faults.no_room = tuple(fields["gpus"])
    elif verb == "build":
        log = fields.get("log")
        world.faults.build_log = None if log is None else tuple(log)
        world.faults.build_error = fields.get("error", "")
    elif verb == "rates":
        world.rates = dict(fields["rates"])
    elif verb == "warn":
        world.warning = fields["message"]
    elif verb == "end":
        machine = world.machines[fields["sandbox_id"]]
        await machine.end(getattr(RESULT, f"GENERIC_STATUS_{fields['status']}"), fields["exit_code"])
    elif verb == "runs":
        world.approvals.runs = Path(fields["folder"])
    elif verb == "approve":
        world.approvals.given.add(fields["specification"])
    elif verb == "stranger":
        world.approvals.strangers.add(fields["name"])
    elif verb == "forget":
        world.forget(fields["run_id"])
    elif verb == "reset":
        await reset(world)
    return world.report(fields.get("run_id"))


async def reset(world: World) -> None:
    """End every sandbox and forget everything."""
    for machine in list(world.machines.values()):
        await machine.end(RESULT.GENERIC_STATUS_TERMINATED, 137)
    fresh = World(world.folder, world.environments)
    for name in (
        "faults",
        "apps",
        "images",
        "machines",
        "secrets",
        "volumes",
        "blocks",
        "creates",
        "approvals",
        "replies",
        "rates",
        "warning",
    ):
        setattr(world, name, getattr(fresh, name))
