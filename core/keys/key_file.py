"""Keys in one encrypted file, for machines without a keyring.

The file begins with lines that can be read, and ends with what cannot:

1. ``fumehood keys 1``: what it is, and the version of its form;
2. JSON: how the passphrase becomes a key (scrypt), the salt and the nonce;
3. the length and SHA-256 of what follows, which tell a damaged file from a wrong passphrase;
4. the keys as JSON, encrypted and authenticated together with lines 1 and 2 (AES-256-GCM).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

from core.errors import KeysError
from core.keys.secret import Secret

TITLE = b"fumehood keys "
VERSION = 1
COST, BLOCK, PARALLEL = 2**17, 8, 1
"""scrypt's parameters: 128 MiB and about half a second a try, as OWASP recommends (2025)."""
LEAST_COST, MOST_COST, MOST_BLOCK, MOST_PARALLEL = 2**14, 2**18, 8, 4
"""What a file may ask for; more would take all memory before the passphrase is even tried."""
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
MOST_FILE_BYTES = 64 * 1024


def sealed(keys: dict[str, str], passphrase: Secret) -> bytes:
    """The bytes of a file that holds these keys.

    Takes about half a second and 128 MiB.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # slow to import, and rarely needed

    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    how = {"kdf": "scrypt", "n": COST, "r": BLOCK, "p": PARALLEL, "salt": _text(salt), "nonce": _text(nonce)}
    head = b"%s%d\n%s\n" % (TITLE, VERSION, json.dumps(how, sort_keys=True).encode())
    key = _derived(passphrase, salt, COST, BLOCK, PARALLEL)
    body = AESGCM(key).encrypt(nonce, json.dumps(keys).encode(), head)
    return head + b"%d %s\n" % (len(body), hashlib.sha256(body).hexdigest().encode()) + body


def opened(content: bytes, passphrase: Secret) -> dict[str, str]:
    """The keys in a file's bytes.

    Takes about half a second and 128 MiB.

    Raises:
        KeysError: it is no such file, is damaged or cut short, or the passphrase is wrong.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head, how, body = _parts(content)
    key = _derived(passphrase, how["salt"], how["n"], how["r"], how["p"])
    try:
        plain = AESGCM(key).decrypt(how["nonce"], body, head)
    except InvalidTag:
        raise KeysError(
            "the passphrase is wrong, or someone has changed the encrypted key file", "Type it again."
        ) from None
    keys: dict[str, str] = json.loads(plain)
    return keys


def _parts(content: bytes) -> tuple[bytes, dict[str, Any], bytes]:
    """The head that is authenticated, how to derive the key, and what is encrypted."""
    if not content.startswith(TITLE):
        raise _damaged("is not one that fumehood wrote")
    lines = content.split(b"\n", 3)
    version = lines[0][len(TITLE) :]
    if version != b"%d" % VERSION and version.isdigit() and len(lines) > 1:
        raise KeysError(
            f"the encrypted key file has form {version.decode()}, which is newer than this fumehood",
            "Use a newer fumehood.",
        )
    if len(lines) < 4:
        raise _damaged("is cut short")
    try:
        how = _checked(json.loads(lines[1]))
        length, checksum = lines[2].split(b" ")
        body, expected = lines[3], int(length)
    except (ValueError, KeyError, TypeError):
        raise _damaged("is damaged") from None
    if len(body) < expected:
        raise _damaged("is cut short")
    if len(body) != expected or hashlib.sha256(body).hexdigest().encode() != checksum:
        raise _damaged("was changed since it was written")
    return b"\n".join(lines[:2]) + b"\n", how, body


def _checked(how: dict[str, Any]) -> dict[str, Any]:
    """What a file says about deriving its key, within bounds.

    Raises:
        ValueError: it is out of bounds.
    """
    cost, block, parallel = how["n"], how["r"], how["p"]
    salt, nonce = base64.b64decode(how["salt"], validate=True), base64.b64decode(how["nonce"], validate=True)
    whole = all(isinstance(number, int) for number in (cost, block, parallel))
    if (
        how["kdf"] != "scrypt"
        or not whole
        or not LEAST_COST <= cost <= MOST_COST
        or cost & (cost - 1)
        or not 1 <= block <= MOST_BLOCK
        or not 1 <= parallel <= MOST_PARALLEL
        or len(salt) != SALT_BYTES
        or len(nonce) != NONCE_BYTES
    ):
        raise ValueError("out of bounds")
    return {"n": cost, "r": block, "p": parallel, "salt": salt, "nonce": nonce}


def _derived(passphrase: Secret, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=block, p=parallel).derive(
        passphrase.reveal().encode()
    )


def _damaged(how: str) -> KeysError:
    return KeysError(
        f"the encrypted key file {how}; nothing was changed",
        "Put a copy of it back, or move it away and set the keys again: 'fumehood keys where' names it.",
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
