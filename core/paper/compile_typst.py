"""Compiles a folder with Typst. Runs as a process of its own: it blocks, and hostile input may end it.

``python -P -m core.paper.compile_typst FOLDER`` reads ``job.json`` there and writes what it asks for.
Nothing outside the folder can be read, no package is ever loaded, and memory and time are bounded.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

MEMORY_BYTES = 6 * 1024**3
"""Address space; Typst's own library takes a part of it."""

PROCESSOR_SECONDS = 60


def main(folder: Path) -> int:
    """Do one job.

    Returns:
        0; 1 where Typst refused a file, with the reason in ``error.txt``.
    """
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _bound(limit, most)
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    import typst

    compiler = typst.Compiler(
        root=str(folder / "root"),
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=True),
        package_path="/dev/null/no-packages",
        package_cache_path="/dev/null/no-packages",
    )
    stamp = datetime.fromisoformat(job["at"])
    for output in job["outputs"]:
        wanted = {"format": output["format"], "ppi": output["ppi"], "timestamp": stamp}
        source = output["source"].encode()
        try:
            try:
                made = compiler.compile(source, **wanted)
            except typst.TypstError as error:
                if "PDF tag" not in error.message:
                    raise
                made = compiler.compile(source, **wanted, pdf_tags=False)  # without what screen readers go by
        except typst.TypstError as error:
            (folder / "error.txt").write_text(error.message[:500], encoding="utf-8")
            return 1
        _keep(folder, output, made)
    return 0


def _keep(folder: Path, output: dict[str, Any], made: bytes | list[bytes] | None) -> None:
    pages = made if isinstance(made, list) else [made or b""]
    for number, page in enumerate(pages, 1):
        (folder / output["file"].format(page=number)).write_bytes(page)


def _bound(limit: int, most: int) -> None:
    _, hard = resource.getrlimit(limit)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(limit, (most, hard))
    except (ValueError, OSError):
        return  # macOS does not bound address space


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
