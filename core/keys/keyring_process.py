"""Talks to the system's keyring; a program of its own, because a keyring may never answer.

Reads one JSON object from stdin and answers with one on stdout, so that no key is ever on a command
line or in an environment:

=============  ==========================================================================
``action``     ``get``, ``set`` or ``remove``
``names``      the keys to read or remove
``values``     for ``set``: the keys and their values
``backend``    the class to use, named by whoever asks; nothing is probed or configured
``service``    what the keys are filed under
``prompt``     whether the human sits here and may be asked to unlock the keyring
=============  ==========================================================================

The answer holds ``values``, or ``trouble`` (``absent``, ``locked``, ``lying`` or ``failed``) and ``reason``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import closing
from typing import Any

from core.keys.hardening import harden


class _Trouble(Exception):
    def __init__(self, kind: str, reason: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked.

    Args:
        request: the object that was read.

    Returns:
        The object to answer with.
    """
    try:
        return {"values": _do(request)}
    except _Trouble as trouble:
        return {"trouble": trouble.kind, "reason": trouble.reason}
    except Exception as error:  # backends let errors of many libraries escape, and this is the outer edge
        return {"trouble": _kind_of(error), "reason": _reason_of(error, request)}


def _do(request: dict[str, Any]) -> dict[str, str]:
    module, _, name = request["backend"].rpartition(".")
    if module.endswith(".SecretService") and not _ready(request):
        return {}
    backend = getattr(importlib.import_module(module), name)()
    service, values = request["service"], {}
    if request["action"] == "get":
        for key in request["names"]:
            value = backend.get_password(service, key)
            if value is not None:
                values[key] = value
    elif request["action"] == "set":
        for key, value in request["values"].items():
            backend.set_password(service, key, value)
            if backend.get_password(service, key) != value:
                raise _Trouble("lying")
    else:
        for key in request["names"]:
            if backend.get_password(service, key) is not None:
                backend.delete_password(service, key)
                if backend.get_password(service, key) is not None:
                    raise _Trouble("lying")
                values[key] = ""
    return values


def _ready(request: dict[str, Any]) -> bool:
    """Whether the Secret Service can be asked without a prompt that nobody sees.

    Returns:
        False where it holds nothing at all, so that there is nothing to read or remove.
    """
    import secretstorage

    try:
        connection = secretstorage.dbus_init()
    except (secretstorage.SecretServiceNotAvailableException, OSError) as error:
        named = "DBUS_SESSION_BUS_ADDRESS" in os.environ
        raise _Trouble("absent", str(error) if named else "no D-Bus session") from None
    with closing(connection):
        if not secretstorage.check_service_availability(connection):
            raise _Trouble("absent", "no program offers the Secret Service")
        if request["prompt"]:
            return True
        try:
            collection = secretstorage.collection.Collection(
                connection, "/org/freedesktop/secrets/aliases/default"
            )
            locked = collection.is_locked()
        except secretstorage.ItemNotFoundException:
            if request["action"] == "set":
                raise _Trouble("locked", "it has no collection yet") from None
            return False
        except secretstorage.SecretServiceNotAvailableException as error:
            raise _Trouble("absent", str(error)) from None
        if locked:
            raise _Trouble("locked")
    return True


def _kind_of(error: Exception) -> str:
    name = type(error).__name__
    if name in ("KeyringLocked", "LockedException", "PromptDismissedException", "InitError"):
        return "locked"
    if name in ("NoKeyringError", "SecretServiceNotAvailableException", "ModuleNotFoundError"):
        return "absent"
    return "failed"


def _reason_of(error: Exception, request: dict[str, Any]) -> str:
    reason = f"{type(error).__name__}: {error}"
    for value in request.get("values", {}).values():
        reason = reason.replace(value, "••••")
    return " ".join(reason.split())[:200]


if __name__ == "__main__":
    harden()
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))))
