"""Images of the double: what their commands install, built by name only or for real."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from core.errors import FumehoodError
from core.sandbox.environments import ready_environment
from tests.fakes.modal.world import Image, World


def image_of(world: World, definition: Any) -> Image:
    """The image of a definition; the same definition is the same image."""
    commands = tuple(definition.dockerfile_commands)
    base = definition.base_images[0].image_id if definition.base_images else ""
    digest = hashlib.sha256("\n".join((base, *commands)).encode()).hexdigest()
    image_id = f"im-{digest[:22]}"
    if image_id not in world.images:
        inherited = world.images[base].packages if base in world.images else ()
        packages = tuple(dict.fromkeys((*inherited, *_installed(commands))))
        world.images[image_id] = Image(image_id, commands, base, packages)
    image = world.images[image_id]
    if image.programs is None and not image.packages:
        image.programs = Path(sys.executable).parent  # A base image is always there.
    elif image.programs is None and base in world.images and world.images[base].packages == image.packages:
        image.programs = world.images[base].programs
    return image


async def build(world: World, image: Image) -> AsyncIterator[tuple[int, str]]:
    """Build an image: the lines that this prints, numbered. What went wrong is in ``image.error``."""
    number = 0
    image.error = ""
    lines = world.faults.build_log
    for line in lines if lines is not None else (f"Installing {', '.join(image.packages)}\n",):
        number += 1
        yield number, line
        await asyncio.sleep(0)
    if world.faults.build_error:
        image.error = world.faults.build_error
        return
    if world.environments is None:
        image.programs = Path(sys.executable).parent
        return
    printed: asyncio.Queue[str | None] = asyncio.Queue()
    installing = asyncio.create_task(_install(world, image, printed))
    while (heard := await printed.get()) is not None:
        number += 1
        yield number, f"{heard}\n"
    await installing


async def _install(world: World, image: Image, printed: asyncio.Queue[str | None]) -> None:
    assert world.environments is not None
    try:
        environment = await ready_environment(image.packages, world.environments, printed.put_nowait)
        image.programs = environment.folder / "bin"
    except FumehoodError as error:
        image.error = str(error)
    finally:
        printed.put_nowait(None)


def _installed(commands: tuple[str, ...]) -> list[str]:
    """The packages that commands install with uv."""
    packages: list[str] = []
    for command in commands:
        words = shlex.split(command.replace("$(command -v python)", "python"))
        if "pip" not in words or "install" not in words or not any(word.endswith("/uv") for word in words):
            continue
        rest = iter(words[words.index("install") + 1 :])
        for word in rest:
            if word == "--python":
                next(rest)
            elif not word.startswith("-"):
                packages.append(word)
    return packages
