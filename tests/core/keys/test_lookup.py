"""What an engine is handed, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import EngineError, KeysLocked
from core.keys.encrypted_file import EncryptedFile
from core.keys.lookup import find_key, find_keys, handed_on, key_store, take_over, use_key_store
from core.keys.names import ANTHROPIC, GOOGLE, MODAL_ID, OPENALEX
from core.keys.redaction import redacted
from core.keys.secret import Secret
from core.keys.store import KeyStore
from core.process import ENGINE, start_engine
from core.record.folder import RunFolder
from tests.fakes.memory_keyring import MemoryKeyring

KEY = "sk-ant-api03-handed-on-0123456789"
OTHER = "AIzaSyA0123456789-handed-on-abcdefghijk"


@pytest.fixture(autouse=True)
def usual_store() -> Iterator[None]:
    yield
    use_key_store(None)


def store_at(folder: Path, environment: dict[str, str]) -> KeyStore:
    store = KeyStore(environment, MemoryKeyring(), EncryptedFile(folder / "keys" / "keys.encrypted", {}))
    use_key_store(store)
    return store


def test_an_engine_finds_what_its_starter_had(tmp_path: Path) -> None:
    store = store_at(tmp_path, {ANTHROPIC: KEY, GOOGLE: "changeme", "PASSWORD": "hunter2"})
    store.session[GOOGLE] = Secret(OTHER)
    store.env_file = {OPENALEX: Secret("openalex-0123456789"), ANTHROPIC: Secret("not-this-one-0123456")}
    store.file.passphrase = Secret("correct horse battery")
    handed = handed_on()
    assert b"hunter2" not in handed
    take_over(handed, {"PATH": "/bin"})
    assert key_store() is not store
    key_store().keyring = MemoryKeyring()
    assert asyncio.run(find_key(ANTHROPIC)) == Secret(KEY)
    assert asyncio.run(find_keys([ANTHROPIC, GOOGLE, OPENALEX, MODAL_ID])) == {
        ANTHROPIC: Secret(KEY),
        GOOGLE: Secret(OTHER),
        OPENALEX: Secret("openalex-0123456789"),
    }
    assert key_store().file.passphrase == Secret("correct horse battery")


def test_an_engine_that_is_handed_nothing_looks_for_itself(tmp_path: Path) -> None:
    take_over(b"", {ANTHROPIC: KEY})
    assert asyncio.run(find_key(ANTHROPIC)) == Secret(KEY)


def test_a_key_that_was_handed_on_is_taken_out_of_every_text_though_nobody_asked_for_it() -> None:
    take_over(json.dumps({"environment": {OPENALEX: "no-shape-tells-this-one"}}).encode(), {})
    assert redacted("it says no-shape-tells-this-one here") == "it says •••• here"


def test_a_locked_place_is_told_only_where_a_key_is_missing(tmp_path: Path) -> None:
    store = store_at(tmp_path, {ANTHROPIC: KEY})
    store.keyring = MemoryKeyring(trouble=KeysLocked("the Secret Service is locked"))
    assert asyncio.run(find_keys([ANTHROPIC])) == {ANTHROPIC: Secret(KEY)}
    with pytest.raises(KeysLocked):
        asyncio.run(find_keys([ANTHROPIC, GOOGLE]))


ENGINE_THAT_TELLS = """
import json, os, sys
if sys.argv[-1] != "--keys-on-stdin":
    sys.exit("no pipe")
said = {
    "stdin": json.loads(sys.stdin.buffer.read()),
    "environment": dict(os.environ),
    "arguments": sys.argv[1:],
}
os.write(int(sys.argv[sys.argv.index("--ready-fd") + 1]), json.dumps(said).encode())
"""


def test_keys_reach_an_engine_over_its_stdin_and_neither_by_argument_nor_by_environment(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ANTHROPIC, KEY)
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    store = store_at(tmp_path, dict(os.environ))
    store.session[GOOGLE] = Secret(OTHER)
    program = tmp_path / "engine.py"
    program.write_text(ENGINE_THAT_TELLS)
    monkeypatch.setattr("core.process.ENGINE", (sys.executable, str(program)))
    with pytest.raises(EngineError) as told:  # whatever an engine says but "ready" is why it ended
        start_engine(folder)
    said = json.loads(told.value.message)
    assert said["stdin"] == {"environment": {ANTHROPIC: KEY}, "session": {GOOGLE: OTHER}}
    elsewhere = json.dumps([said["environment"], said["arguments"]])
    assert not any(value in elsewhere for value in (KEY, OTHER, "hunter2"))
    assert "PATH" in said["environment"]


def test_an_engine_cannot_be_read_by_others_and_its_stdin_is_empty_afterwards(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    look = (
        "import core.driving as d, ctypes, os, sys\n"
        "async def drive(*_, **__):\n"
        "    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"  # PR_GET_DUMPABLE
        "    print(dumpable, os.read(0, 1), os.readlink('/proc/self/fd/0'))\n"
        "d.drive = drive\n"
        "sys.exit(d.main())\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", look, str(tmp_path), "--keys-on-stdin"],
        input=json.dumps({"environment": {ANTHROPIC: KEY}}).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    os.close(read_end)
    os.close(write_end)
    assert process.stdout.decode().split() == ["0", "b''", "/dev/null"]
    assert ENGINE[1:] == ("-P", "-m", "core.driving")


BREAKS = """
import core.driving as d, sys
from core.keys.lookup import find_key
async def drive(*_, **__):
    key = (await find_key("ANTHROPIC_API_KEY")).reveal()
    try:
        raise ValueError("cannot use " + key)
    except ValueError as error:
        raise RuntimeError("GET https://example.org/?key=" + key + " failed") from error
d.drive = drive
sys.exit(d.main())
"""


def test_an_engine_that_breaks_with_a_key_in_its_error_logs_everything_but_the_key(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BREAKS, str(tmp_path), "--keys-on-stdin"],
        input=json.dumps({"environment": {ANTHROPIC: KEY}}).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    told = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == 1
    assert "RuntimeError: GET https://example.org/?key=•••• failed" in told
    assert "ValueError: cannot use ••••" in told
    assert KEY not in told
