"""The outer edge of every command: whatever goes wrong becomes one clear line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from core.keys.redaction import redacted
from tui.exit_codes import ExitCode
from tui.safe_text import one_line
from tui.screen import NobodyReads, Screen

STORAGE_ERRORS = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.ENOTDIR,
        errno.EMFILE,
        errno.ENAMETOOLONG,
    }
)
"""What the user's machine can do to us; anything else that the system refuses is our own mistake."""


def guarded(command: Callable[[], object]) -> int:
    """Run a command and give its exit code; nothing but a request to exit at once gets past this.

    Args:
        command: gives an exit code, or anything else for success.
    """
    try:
        result = command()
        sys.stdout.flush()
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else ExitCode.DONE
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", ExitCode.INTERRUPTED)
    except (NobodyReads, BrokenPipeError):
        silence()
        return ExitCode.DONE
    except Exception as error:
        return _explain(error)
    return result if isinstance(result, int) else ExitCode.DONE


def silence() -> None:
    """Let nothing more be written to a stdout that nobody reads, the interpreter's last flush included."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _explain(error: Exception) -> int:
    if isinstance(error, click.ClickException):
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f" See '{error.ctx.command_path} --help'."
        return _say(f"{error.format_message().rstrip('.')}.{hint}", ExitCode.BAD_INPUT)
    if isinstance(error, OSError) and error.errno in STORAGE_ERRORS:
        where = f"cannot use {error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror}. Check its space and who owns it.", ExitCode.BAD_INPUT)
    from core.errors import EngineError, FumehoodError

    if isinstance(error, EngineError):
        return _say(_sentences(error), ExitCode.ENGINE_GONE)
    if isinstance(error, FumehoodError):
        return _say(_sentences(error), ExitCode.BAD_INPUT)
    return _crashed(error)


def _sentences(error: Exception) -> str:
    text = str(error)
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def _crashed(error: Exception) -> int:
    """Keep the traceback, without locals, where the user can find it."""
    kept = ""
    with contextlib.suppress(Exception):
        path = _crash_path()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        words = redacted("".join(traceback.format_exception(error)))
        path.write_text(words, encoding="utf-8", errors="replace")
        kept = f" What happened is in {path}."
    return _say(f"an error of fumehood's own ({type(error).__name__}).{kept}", ExitCode.CRASHED)


def _crash_path() -> Path:
    from core.config import read_settings

    return read_settings().data_folder / "logs" / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"


def _say(message: str, code: ExitCode) -> int:
    with contextlib.suppress(OSError, ValueError):
        Screen.of(sys.stderr).line(f"fumehood: {one_line(redacted(message))}")
    return code
