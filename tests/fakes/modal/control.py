"""The control plane: credentials, apps, images, sandboxes and what they cost."""
# The methods' names are the vendor's.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from grpclib import GRPCError, Status
from modal_proto import api_pb2

from tests.fakes.modal.images import build, image_of
from tests.fakes.modal.machine import RESULT, Machine, Mount
from tests.fakes.modal.rpc import Headers
from tests.fakes.modal.volumes import VolumeMethods
from tests.fakes.modal.world import TOKEN, World, new_id, web_token

BUILDER_VERSION = "2025.06"


class ControlPlane(VolumeMethods):
    """Serves those methods of ``ModalClient`` that sandboxes need."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._watchers: set[asyncio.Task[None]] = set()

    async def ClientHello(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        warnings = [api_pb2.Warning(message=self.world.warning)] if self.world.warning else []
        return api_pb2.ClientHelloResponse(image_builder_version=BUILDER_VERSION, server_warnings=warnings)

    async def AuthTokenGet(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        return api_pb2.AuthTokenGetResponse(token=web_token())

    async def WorkspaceNameLookup(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        return api_pb2.WorkspaceNameLookupResponse(workspace_name="double", username="double")

    async def WorkspaceBillingRates(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        return api_pb2.WorkspaceBillingRatesResponse(rates=self.world.rates)

    async def EnvironmentGetOrCreate(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        settings = api_pb2.EnvironmentSettings(image_builder_version=BUILDER_VERSION)
        return api_pb2.EnvironmentGetOrCreateResponse(
            environment_id="en-double", metadata=api_pb2.EnvironmentMetadata(name="main", settings=settings)
        )

    async def AppGetOrCreate(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        app_id = self.world.apps.setdefault(request.app_name, new_id("ap"))
        return api_pb2.AppGetOrCreateResponse(app_id=app_id)

    async def SecretGetOrCreate(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        secret_id = new_id("st")
        self.world.secrets[secret_id] = dict(request.env_dict)
        return api_pb2.SecretGetOrCreateResponse(secret_id=secret_id)

    async def ImageGetOrCreate(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        image = image_of(self.world, request.image)
        if image.programs is None:
            return api_pb2.ImageGetOrCreateResponse(image_id=image.id)
        success = RESULT(status=RESULT.GENERIC_STATUS_SUCCESS)
        return api_pb2.ImageGetOrCreateResponse(image_id=image.id, result=success)

    async def ImageJoinStreaming(self, request: Any, headers: Headers) -> AsyncIterator[Any]:
        self._let_in(headers)
        image = self.world.images[request.image_id]
        async for number, line in build(self.world, image):
            log = api_pb2.TaskLogs(data=line, file_descriptor=api_pb2.FILE_DESCRIPTOR_STDOUT)
            yield api_pb2.ImageJoinStreamingResponse(task_logs=[log], entry_id=str(number))
        status = RESULT.GENERIC_STATUS_FAILURE if image.error else RESULT.GENERIC_STATUS_SUCCESS
        result = RESULT(status=status, exception=image.error)
        yield api_pb2.ImageJoinStreamingResponse(result=result, eof=True)

    async def SandboxCreate(self, request: Any, headers: Headers) -> Any:
        machine = self._created(request, headers, new_id("sb"), new_id("ta"))
        return api_pb2.SandboxCreateResponse(sandbox_id=machine.id, metadata=self._metadata(machine))

    async def SandboxCreateV2(self, request: Any, headers: Headers) -> Any:
        self._token(headers)
        machine = self._created(request, headers, new_id("sb", 26), f"{new_id('ta', 21)}V")
        return api_pb2.SandboxCreateV2Response(
            sandbox_id=machine.id,
            task_id=machine.task_id,
            metadata=self._metadata(machine),
            command_router_access=self._access(),
        )

    async def SandboxGetTaskId(self, request: Any, headers: Headers) -> Any:
        machine = self._machine(request.sandbox_id, headers)
        if not machine.alive:
            return api_pb2.SandboxGetTaskIdResponse(task_result=machine.result)
        gpu = machine.definition.resources.gpu_config.gpu_type
        full = self.world.faults.no_room
        machine.scheduled = machine.scheduled or not (gpu in full or (gpu and "any" in full))
        if not machine.scheduled:
            return api_pb2.SandboxGetTaskIdResponse()
        return api_pb2.SandboxGetTaskIdResponse(task_id=machine.task_id)

    SandboxGetTaskIdV2 = SandboxGetTaskId

    async def TaskGetCommandRouterAccess(self, request: Any, headers: Headers) -> Any:
        self._let_in(headers)
        access = self._access()
        return api_pb2.TaskGetCommandRouterAccessResponse(jwt=access.jwt, url=access.url)

    async def SandboxGetCommandRouterAccess(self, request: Any, headers: Headers) -> Any:
        self._machine(request.sandbox_id, headers)
        access = self._access()
        return api_pb2.SandboxGetCommandRouterAccessResponse(jwt=access.jwt, url=access.url)

    async def SandboxWait(self, request: Any, headers: Headers) -> Any:
        machine = self._machine(request.sandbox_id, headers)
        if machine.alive and request.timeout:
            try:
                async with asyncio.timeout(request.timeout):
                    await machine.over.wait()
            except TimeoutError:
                pass
        result = RESULT() if machine.alive else machine.result
        return api_pb2.SandboxWaitResponse(result=result, metadata=self._metadata(machine))

    SandboxWaitV2 = SandboxWait

    async def SandboxTerminate(self, request: Any, headers: Headers) -> Any:
        machine = self._machine(request.sandbox_id, headers)
        await machine.end(RESULT.GENERIC_STATUS_TERMINATED, 137)
        return api_pb2.SandboxTerminateResponse(existing_result=machine.result)

    SandboxTerminateV2 = SandboxTerminate

    async def SandboxTagsGet(self, request: Any, headers: Headers) -> Any:
        machine = self._machine(request.sandbox_id, headers)
        return api_pb2.SandboxTagsGetResponse(tags=_tags(machine))

    SandboxTagsGetV2 = SandboxTagsGet

    async def SandboxTagsSet(self, request: Any, headers: Headers) -> None:
        machine = self._machine(request.sandbox_id, headers)
        machine.tags = {tag.tag_name: tag.tag_value for tag in request.tags}

    SandboxTagsSetV2 = SandboxTagsSet

    async def SandboxListV2(self, request: Any, headers: Headers) -> Any:
        self._token(headers)
        wanted = {tag.tag_name: tag.tag_value for tag in request.tags}
        found = [
            machine
            for machine in self.world.machines.values()
            if machine.app_id == request.app_id
            and machine.alive
            and wanted.items() <= machine.tags.items()
            and (not request.before_timestamp or machine.created_at < request.before_timestamp)
        ]
        found.sort(key=lambda machine: machine.created_at, reverse=True)
        infos = [
            api_pb2.SandboxInfo(
                id=machine.id,
                created_at=machine.created_at,
                app_id=machine.app_id,
                name=machine.name,
                tags=_tags(machine),
                metadata=self._metadata(machine),
            )
            for machine in found[:50]
        ]
        return api_pb2.SandboxListResponse(sandboxes=infos)

    async def SandboxGetFromName(self, request: Any, headers: Headers) -> Any:
        return self._named(request, headers, second=False)

    async def SandboxGetFromNameV2(self, request: Any, headers: Headers) -> Any:
        return self._named(request, headers, second=True)

    async def SandboxGetStats(self, request: Any, headers: Headers) -> Any:
        machine = self._machine(request.sandbox_id, headers)
        resources = machine.definition.resources
        hours = Decimal(str(machine.seconds)) / 3600
        parts = {
            "CPU": Decimal(resources.milli_cpu) / 1000 * Decimal(self.world.rates["Sandbox CPU"]) * hours,
            "Memory": Decimal(resources.memory_mb)
            / 1024
            * Decimal(self.world.rates["Sandbox Memory"])
            * hours,
        }
        gpu = resources.gpu_config.gpu_type
        if gpu:
            parts[gpu] = Decimal(self.world.rates.get(f"GPU {gpu}", "0")) * hours
        response = api_pb2.SandboxGetStatsResponse(
            cost=str(sum(parts.values())),
            cost_by_resource={name: str(cost) for name, cost in parts.items()},
            duration_hours=float(hours),
            num_datapoints=1,
        )
        response.since.FromSeconds(int(machine.created_at))
        return response

    def _let_in(self, headers: Headers) -> None:
        if (headers.get("x-modal-token-id"), headers.get("x-modal-token-secret")) != TOKEN:
            raise GRPCError(Status.UNAUTHENTICATED, "Token ID or secret is wrong")

    def _token(self, headers: Headers) -> None:
        self._let_in(headers)
        if "x-modal-auth-token" not in headers:
            raise GRPCError(Status.UNAUTHENTICATED, "no x-modal-auth-token")

    def _access(self) -> Any:
        return api_pb2.CommandRouterAccess(jwt=web_token(), url=self.world.url)

    def _metadata(self, machine: Machine) -> Any:
        return api_pb2.SandboxHandleMetadata(app_id=machine.app_id, result=machine.result)

    def _machine(self, sandbox_id: str, headers: Headers) -> Machine:
        self._let_in(headers)
        if sandbox_id not in self.world.machines:
            raise GRPCError(Status.NOT_FOUND, f"no sandbox {sandbox_id}")
        return self.world.machines[sandbox_id]

    def _named(self, request: Any, headers: Headers, *, second: bool) -> Any:
        self._let_in(headers)
        app_id = self.world.apps.get(request.app_name, "")
        for machine in self.world.machines.values():
            named = machine.alive and machine.name == request.sandbox_name and machine.app_id == app_id
            if named and (len(machine.id) != 25) == second:
                return api_pb2.SandboxGetFromNameResponse(
                    sandbox_id=machine.id, metadata=self._metadata(machine)
                )
        raise GRPCError(Status.NOT_FOUND, f"no sandbox named {request.sandbox_name}")

    def _created(self, request: Any, headers: Headers, sandbox_id: str, task_id: str) -> Machine:
        """Make a sandbox, or give the one that the same request made before."""
        self._let_in(headers)
        key = str(headers.get("x-idempotency-key", sandbox_id))
        if key in self.world.replies:
            return self.world.machines[self.world.replies[key]]
        definition = request.definition
        tags = {tag.tag_name: tag.tag_value for tag in request.tags}
        if why := self.world.approvals.objection(definition, tags):
            raise GRPCError(Status.PERMISSION_DENIED, f"the double makes only what was approved: {why}")
        others = self.world.machines.values()
        if definition.name and any(
            one.alive and one.name == definition.name and one.app_id == request.app_id for one in others
        ):
            raise GRPCError(Status.ALREADY_EXISTS, f"a sandbox named {definition.name} exists")
        machine = self._machine_for(request, sandbox_id, task_id, tags)
        self.world.machines[machine.id] = machine
        self.world.replies[key] = machine.id
        self.world.creates.append(
            {
                "id": machine.id,
                "name": definition.name,
                "tags": tags,
                "gpu": definition.resources.gpu_config.gpu_type,
                "gpu_count": definition.resources.gpu_config.count,
                "milli_cpu": [definition.resources.milli_cpu, definition.resources.milli_cpu_max],
                "memory_mb": [definition.resources.memory_mb, definition.resources.memory_mb_max],
                "timeout_seconds": definition.timeout_secs,
                "idle_timeout_seconds": definition.idle_timeout_secs,
                "network": definition.network_access.network_access_type,
                "domains": list(definition.network_access.allowed_domains),
                "image_id": definition.image_id,
                "at": machine.created_at,
            }
        )
        watcher = asyncio.create_task(machine.watch())
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        return machine

    def _machine_for(self, request: Any, sandbox_id: str, task_id: str, tags: dict[str, str]) -> Machine:
        definition = api_pb2.Sandbox.FromString(request.definition.SerializeToString())
        folder = self.world.folder / "sandboxes" / sandbox_id
        folder.mkdir(parents=True)
        environment: dict[str, str] = {}
        for secret_id in definition.secret_ids:
            environment |= self.world.secrets.get(secret_id, {})
        for source in getattr(request, "secret_sources", ()):
            environment |= dict(source.env.contents)
        self.world.machine_environments[sandbox_id] = environment
        gpu = definition.resources.gpu_config.gpu_type
        full = self.world.faults.no_room
        mounts = [
            Mount(
                mount.mount_path,
                self.world.volume_folder(mount.volume_id),
                self.world.folder / "mounts" / sandbox_id / str(number),
                not mount.read_only,
            )
            for number, mount in enumerate(definition.volume_mounts)
        ]
        for mount in mounts:
            mount.reload()
        return Machine(
            id=sandbox_id,
            task_id=task_id,
            app_id=request.app_id,
            definition=definition,
            tags=tags,
            folder=folder,
            programs=self.world.programs(definition.image_id),
            mounts=mounts,
            scheduled=not (gpu in full or (gpu and "any" in full)),
        )


def _tags(machine: Machine) -> list[Any]:
    return [api_pb2.SandboxTag(tag_name=name, tag_value=value) for name, value in machine.tags.items()]
