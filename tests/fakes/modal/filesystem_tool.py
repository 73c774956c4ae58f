"""Stands for the program by which the SDK works on a sandbox's files: one JSON command, one answer.

Started as ``python filesystem_tool.py <root> '<command>'``, it sees ``<root>`` as ``/``.
"""
# Runs alone, isolated, as a program.

from __future__ import annotations

import json
import shutil
import stat
import sys
from pathlib import Path
from typing import Any


def described(root: Path, path: Path) -> dict[str, Any]:
    """What the SDK wants to know about a file."""
    status = path.lstat()
    kind = "symlink" if path.is_symlink() else "directory" if path.is_dir() else "file"
    return {
        "name": path.name,
        "path": f"/{path.relative_to(root)}",
        "type": kind,
        "size": status.st_size,
        "mode": stat.S_IMODE(status.st_mode),
        "permissions": stat.filemode(status.st_mode),
        "owner": str(status.st_uid),
        "group": str(status.st_gid),
        "modified_time": status.st_mtime,
        "symlink_target": str(path.readlink()) if kind == "symlink" else None,
    }


def carry_out(root: Path, command: dict[str, dict[str, Any]]) -> None:
    """Do what the command says."""
    [(name, arguments)] = command.items()
    path = root / str(arguments["path"]).lstrip("/")
    if name == "ReadFile":
        sys.stdout.buffer.write(path.read_bytes())
    elif name == "WriteFile":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sys.stdin.buffer.read())
    elif name == "ListFiles":
        print(json.dumps([described(root, entry) for entry in sorted(path.iterdir())]))
    elif name == "Stat":
        print(json.dumps(described(root, path)))
    elif name == "MakeDirectory":
        path.mkdir(parents=arguments["parents"], exist_ok=arguments["parents"])
    elif name == "Remove":
        if path.is_dir() and arguments["recursive"]:
            shutil.rmtree(path)
        elif path.is_dir():
            path.rmdir()
        else:
            path.unlink()


KINDS = {
    FileNotFoundError: "NotFound",
    IsADirectoryError: "IsDirectory",
    NotADirectoryError: "NotDirectory",
    FileExistsError: "PathAlreadyExists",
    PermissionError: "PermissionDenied",
}

if __name__ == "__main__":
    try:
        carry_out(Path(sys.argv[1]), json.loads(sys.argv[2]))
    except OSError as error:
        kind = KINDS.get(type(error), "DirectoryNotEmpty")
        print(json.dumps({"error_kind": kind, "message": str(error.strerror)}), file=sys.stderr)
        sys.exit(1)
