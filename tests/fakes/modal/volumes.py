"""Volumes of the double: folders, whose blocks come and go by HTTP as at Modal."""
# The methods' names are the vendor's.

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # nobody types it
from grpclib import GRPCError, Status
from modal_proto import api_pb2

from tests.fakes.modal.rpc import Headers
from tests.fakes.modal.world import World, new_id

BLOCK_BYTES = 8 * 1024 * 1024


class VolumeMethods:
    """The methods for volumes of the second kind."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def VolumeGetOrCreate(self, request: Any, headers: Headers) -> Any:
        name = request.deployment_name
        create = request.object_creation_type == api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING
        if name not in self.world.volumes and not create:
            raise GRPCError(Status.NOT_FOUND, f"no volume {name}")
        volume_id = self.world.volumes.setdefault(name, new_id("vo"))
        metadata = api_pb2.VolumeMetadata(version=api_pb2.VOLUME_FS_VERSION_V2, name=name)
        return api_pb2.VolumeGetOrCreateResponse(
            volume_id=volume_id, version=api_pb2.VOLUME_FS_VERSION_V2, metadata=metadata
        )

    async def VolumeDelete(self, request: Any, headers: Headers) -> Any:
        names = [name for name, volume_id in self.world.volumes.items() if volume_id == request.volume_id]
        if not names:
            raise GRPCError(Status.NOT_FOUND, f"no volume {request.volume_id}")
        del self.world.volumes[names[0]]
        shutil.rmtree(self.world.volume_folder(request.volume_id))
        return Empty()

    async def VolumePutFiles2(self, request: Any, headers: Headers) -> Any:
        missing = []
        for file_index, file in enumerate(request.files):
            target = self._inside(request.volume_id, file.path)
            if target.exists() and request.disallow_overwrite_existing_files:
                raise GRPCError(Status.ALREADY_EXISTS, f"{file.path} exists")
            for block_index, block in enumerate(file.blocks):
                if block.contents_sha256.hex() not in self.world.blocks:
                    missing.append(
                        api_pb2.VolumePutFiles2Response.MissingBlock(
                            file_index=file_index,
                            block_index=block_index,
                            put_url=f"{self.world.blocks_url}/{block.contents_sha256.hex()}",
                        )
                    )
        if not missing:
            for file in request.files:
                self._write(self._inside(request.volume_id, file.path), file)
        return api_pb2.VolumePutFiles2Response(missing_blocks=missing)

    async def VolumeListFiles2(self, request: Any, headers: Headers) -> AsyncIterator[Any]:
        root = self.world.volume_folder(request.volume_id)
        top = self._inside(request.volume_id, request.path)
        found = sorted(top.rglob("*") if request.recursive else top.iterdir()) if top.is_dir() else [top]
        kinds = api_pb2.FileEntry.FileType
        entries = [
            api_pb2.FileEntry(
                path=str(path.relative_to(root)),
                type=kinds.DIRECTORY if path.is_dir() else kinds.FILE,
                mtime=int(path.stat().st_mtime),
                size=path.stat().st_size,
            )
            for path in found
            if path.exists()
        ]
        yield api_pb2.VolumeListFiles2Response(entries=entries)

    async def VolumeGetFile2(self, request: Any, headers: Headers) -> Any:
        path = self._inside(request.volume_id, request.path)
        if not path.is_file():
            raise GRPCError(Status.NOT_FOUND, f"no file {request.path}")
        content = path.read_bytes()
        urls = []
        for start in range(0, len(content), BLOCK_BYTES):
            block = content[start : start + BLOCK_BYTES]
            digest = hashlib.sha256(block).hexdigest()
            self.world.blocks[digest] = block
            urls.append(f"{self.world.blocks_url}/{digest}")
        return api_pb2.VolumeGetFile2Response(get_urls=urls, size=len(content), start=0, len=len(content))

    def _inside(self, volume_id: str, path: str) -> Path:
        root = self.world.volume_folder(volume_id)
        inner = Path(os.path.normpath(root / path.lstrip("/")))
        if not inner.is_relative_to(root):
            raise GRPCError(Status.INVALID_ARGUMENT, f"{path} lies outside the volume")
        return inner

    def _write(self, path: Path, file: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = b"".join(self.world.blocks[block.contents_sha256.hex()] for block in file.blocks)
        path.write_bytes(content.ljust(file.size, b"\0")[: file.size])


async def serve_blocks(world: World) -> web.AppRunner:
    """Serve blocks by HTTP on loopback; notes the address in ``world``."""

    async def put(request: web.Request) -> web.Response:
        content = await request.read()
        world.blocks[request.match_info["digest"]] = content
        return web.Response(body=b"stored")

    async def get(request: web.Request) -> web.Response:
        return web.Response(body=world.blocks[request.match_info["digest"]])

    application = web.Application(client_max_size=2 * BLOCK_BYTES)
    application.add_routes([web.put("/blocks/{digest}", put), web.get("/blocks/{digest}", get)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    world.blocks_url = f"http://127.0.0.1:{runner.addresses[0][1]}/blocks"
    return runner
