"""lab: records what an experiment measures. The only thing that experiment code needs to import.

::

    import lab

    for seed in lab.seeds():
        lab.condition(data="digits", arm="bagged", seed=seed)
        lab.result("test_error", error, unit="fraction", split="test")

Nothing but the standard library of Python 3.9 or later; numpy, torch and matplotlib are used where
the script has them. Each record is one JSON object on a line of its own, written at once to
``$LAB_DIR/records.jsonl``, so that workers can share the file. Without ``LAB_DIR`` it is
``./lab_out``, and the same script runs anywhere. What is printed is for people only and never read.
"""
# Written for Python 3.9; experiment code prints to its log.
# ruff: noqa: PTH100, PTH103, PTH105, PTH107, PTH110, PTH118, PTH119, PTH120, PTH122, PTH123, PTH208

from __future__ import annotations

import atexit
import contextvars
import hashlib
import json
import math
import numbers
import os
import platform
import random
import sys
import threading
import time
import types
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = [
    "artifact",
    "condition",
    "config",
    "data",
    "data_path",
    "figure",
    "log",
    "note",
    "predictions",
    "result",
    "seeds",
    "shared_path",
    "trial",
]

MAX_LINE_BYTES = 16 * 1024 * 1024
SKETCH_ROWS = 20_000

_started = time.monotonic()
_process = os.getpid()
_handle = -1
_own_condition: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "condition", default=None
)
_main_condition: dict[str, Any] = {}


def seeds() -> tuple[int, ...]:
    """The planned seeds: exactly these count. Outside the app, 0 to 9."""
    planned = os.environ.get("LAB_SEEDS")
    return tuple(json.loads(planned)) if planned else tuple(range(10))


def trial() -> bool:
    """Whether this is a trial, whose measurements will not count."""
    return os.environ.get("LAB_TRIAL") == "1"


def data_path(name: str) -> str:
    """Where a file is that the human gave the run; it can be read, and not changed.

    In a sandbox with a file system of its own that is ``/data/<name>``; outside the app ``./data``.

    Args:
        name: the file's name, e.g. ``table.csv``.

    Raises:
        FileNotFoundError: the run has no such file; the message says which it has.
    """
    folder = os.environ.get("LAB_DATA") or ("/data" if "LAB_DIR" in os.environ else "data")
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        there = sorted(os.listdir(folder)) if os.path.exists(folder) else []
        raise FileNotFoundError(
            f"lab.data_path: the run has no file {name!r}; it has: {', '.join(there) or 'none'}"
        )
    return path


def shared_path(name: str) -> str:
    """Where a file is, or shall be, that one experiment of the run hands to others.

    In a sandbox with a file system of its own that is ``/shared/<name>``; outside the app ``./shared``.
    Folders on the way are made.

    Args:
        name: what it is called, e.g. ``E1/model.pt``.
    """
    folder = os.environ.get("LAB_SHARED") or ("/shared" if "LAB_DIR" in os.environ else "shared")
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def condition(**factors: Any) -> None:
    """Set the factor levels in force, such as ``arm="bagged"``; they replace the former ones.

    Every later record carries them. A ``seed`` also seeds ``random``, and numpy and torch where the
    script has imported them. A thread or task that sets its own condition keeps it to itself.

    Args:
        factors: levels by factor name: text, numbers or booleans.
    """
    global _main_condition
    levels = {name: _plain(level) for name, level in factors.items()}
    _own_condition.set(levels)
    if threading.current_thread() is threading.main_thread():
        _main_condition = levels
    if "seed" in factors:
        _seed(levels["seed"])
    _write("condition")


def config(**values: Any) -> None:
    """Record settings, such as ``learning_rate=0.1``, for the paper to quote."""
    _write("config", values=_plain(values))


def log(step: float, /, **metrics: Any) -> None:
    """Record metrics of one step of training; they draw curves and decide nothing."""
    _write("log", step=_plain(step), values=_plain(metrics))


def note(text: str) -> None:
    """Record a sentence for whoever reads the record."""
    _write("note", text=str(text))


def result(name: str, value: Any, *, unit: str = "", split: str = "", count: int | None = None) -> None:
    """Record one measurement under the condition in force. Only these decide.

    Args:
        name: what was measured, e.g. ``test_error``.
        value: a number; NaN and infinities are kept as such.
        unit: its unit, e.g. ``fraction`` or ``s``.
        split: the data split that it was measured on: ``train``, ``val``, ``test`` or ``cv``.
        count: how many cases it was computed from.

    Raises:
        TypeError: the value is not one number.
    """
    number = _number(name, value)
    _write("result", name=str(name), value=number, unit=unit, split=split, count=_plain(count))
    shown = f"{number:.6g}" if isinstance(number, float) else str(number)
    levels = "".join(f" {factor}={level}" for factor, level in _condition().items())
    print(f"lab.result {name}={shown}{levels}", flush=True)


def data(name: str, rows: Any, labels: Any = None) -> None:
    """Record the fingerprints of a data split's rows, by which overlaps of splits are found.

    Args:
        name: the split, e.g. ``train``.
        rows: an array, data frame or sequence with one row for each case.
        labels: one label for each row; they enter the fingerprint of the split, not of its rows.
    """
    hashes = [_hash(row)[:16] for row in _row_bytes(rows)]
    whole = hashes if labels is None else _with_labels(hashes, list(_plain(labels)))
    fields: dict[str, Any] = {
        "name": str(name),
        "count": len(hashes),
        "sha256": _hash("\n".join(sorted(whole)).encode()),
        "rows": hashes,
    }
    if len(hashes) > SKETCH_ROWS:
        # The smallest hashes of two splits meet wherever the splits do.
        fields.update(rows=sorted(hashes)[:SKETCH_ROWS], sketch=True)
    _write("data", **fields)


def predictions(split: str, predicted: Any, *, truth: Any = None, ids: Any = None) -> None:
    """Record raw predictions, from which metrics can be recomputed.

    Args:
        split: the data split, e.g. ``test``.
        predicted: one prediction for each case.
        truth: the right answers, in the same order.
        ids: what tells the cases apart, in the same order.
    """
    _write("predictions", split=split, predicted=_plain(predicted), truth=_plain(truth), ids=_plain(ids))


def artifact(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Keep a file, such as a trained model.

    Args:
        path: the file; it is copied.
        name: what to call it; its own name by default.
    """
    source = os.fspath(path)
    folder = os.path.join(_folder(), "files")
    os.makedirs(folder, exist_ok=True)
    draft = os.path.join(folder, f".draft-{os.getpid()}-{threading.get_ident()}")
    digest, size = hashlib.sha256(), 0
    with open(source, "rb") as original, open(draft, "wb") as copy:
        while chunk := original.read(1024 * 1024):
            digest.update(chunk)
            size += len(chunk)
            copy.write(chunk)
    file = f"files/{digest.hexdigest()[:16]}{os.path.splitext(source)[1]}"
    os.replace(draft, os.path.join(_folder(), file))
    _write(
        "artifact", name=name or os.path.basename(source), file=file, sha256=digest.hexdigest(), bytes=size
    )


def figure(fig: Any, name: str, caption: str = "") -> None:
    """Keep a matplotlib figure as SVG and PNG, with the numbers that its lines and points show.

    Args:
        fig: the figure.
        name: what to call it.
        caption: what it shows.
    """
    series = [
        {
            "axes": number,
            "label": str(line.get_label()),
            "x": _plain(line.get_xdata()),
            "y": _plain(line.get_ydata()),
        }
        for number, axes in enumerate(fig.axes)
        for line in axes.get_lines()
    ]
    series += [
        {"axes": number, "label": str(points.get_label()), "points": _plain(points.get_offsets())}
        for number, axes in enumerate(fig.axes)
        for points in axes.collections
        if hasattr(points, "get_offsets")
    ]
    _write("figure", name=name, caption=caption, series=series)
    for suffix in ("svg", "png"):
        path = os.path.join(_folder(), f".figure-{os.getpid()}.{suffix}")
        fig.savefig(path, bbox_inches="tight", dpi=200, metadata={"Date": None} if suffix == "svg" else None)
        artifact(path, f"{name}.{suffix}")
        os.remove(path)


def _condition() -> dict[str, Any]:
    own = _own_condition.get()
    return _main_condition if own is None else own


def _seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"lab.condition: a seed is a whole number, not {seed!r}")
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _number(name: str, value: Any) -> int | float | str:
    """One number as JSON can say it."""
    plain = value.item() if hasattr(value, "item") and getattr(value, "size", 1) in (1, value) else value
    if callable(getattr(value, "numel", None)) and value.numel() == 1:
        plain = value.item()
    if isinstance(plain, bool):
        return plain
    if isinstance(plain, numbers.Integral):
        return int(plain)
    if not isinstance(plain, numbers.Real):
        raise TypeError(
            f"lab.result: {name} must be one number, not {type(value).__name__} {str(value)[:80]!r}"
        )
    number = float(plain)
    return number if math.isfinite(number) else str(number)


def _plain(value: Any) -> Any:
    """A value as JSON can say it; what JSON has no word for becomes text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):  # numpy and torch, scalars and arrays
        return _plain(value.tolist())
    if isinstance(value, numbers.Real):
        return _plain(float(value))
    return str(value)[:1000]


def _with_labels(hashes: list[str], labels: list[Any]) -> list[str]:
    if len(hashes) != len(labels):
        raise ValueError(f"lab.data: {len(hashes)} rows but {len(labels)} labels")
    return [f"{row} {labels[number]}" for number, row in enumerate(hashes)]


def _row_bytes(rows: Any) -> Iterator[bytes]:
    """Each row as bytes that are the same whether it came as a list or in any numeric array type."""
    for convert in ("detach", "cpu", "to_numpy", "tocsr"):
        if callable(getattr(rows, convert, None)):
            rows = getattr(rows, convert)()
    length = rows.shape[0] if hasattr(rows, "shape") else None
    for row in rows if length is None else (rows[number] for number in range(length)):
        yield _one_row(row.toarray() if hasattr(row, "toarray") else row)


def _one_row(row: Any) -> bytes:
    if isinstance(row, bytes):
        return row
    flat: Any = None
    if hasattr(row, "dtype") and "numpy" in sys.modules:
        if row.dtype.kind in "biuf":
            # Adding zero makes one of the two zeros of floating point.
            return bytes((row.astype("float64").reshape(-1) + 0.0).tobytes())
        row = row.tolist()
    elif hasattr(row, "numpy"):
        return _one_row(row.numpy())
    flat = row if isinstance(row, (list, tuple)) else [row]
    if all(isinstance(cell, (bool, int, float)) for cell in flat):
        return _doubles(flat)
    return json.dumps(_plain(row), sort_keys=True, separators=(",", ":")).encode()


def _doubles(cells: Iterable[float]) -> bytes:
    import array

    return array.array("d", [float(cell) + 0.0 for cell in cells]).tobytes()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _folder() -> str:
    return os.environ.get("LAB_DIR") or os.path.abspath("lab_out")


def _script_line() -> int:
    """The line of the script that is being executed, whatever was called from there; 0 if none is."""
    main = sys.modules.get("__mp_main__") or sys.modules.get("__main__")
    script = os.environ.get("LAB_SCRIPT") or getattr(main, "__file__", None) or ""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != script:
        frame = frame.f_back
    return frame.f_lineno if frame is not None else 0


def _write(kind: str, **fields: Any) -> None:
    """Append one record with a single write."""
    global _handle
    record = {
        "kind": kind,
        "line": _script_line(),
        "t": round(time.monotonic() - _started, 4),
        "condition": _condition(),
        **fields,
    }
    line = json.dumps(record, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(
            f"lab: this {kind} record has {len(line):,} bytes, more than the {MAX_LINE_BYTES:,} that one can"
            " have: record it in parts, or as a file with lab.artifact"
        )
    if _handle < 0:
        os.makedirs(_folder(), exist_ok=True)
        path = os.path.join(_folder(), "records.jsonl")
        _handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    written = os.write(_handle, line)
    if written < len(line):
        raise OSError(
            f"lab: only {written} of {len(line)} bytes of a record could be written: is the disk full?"
        )


def _write_end() -> None:
    """Record which modules were used, once, in the process that the script started in."""
    workers = sys.modules.get("multiprocessing")
    if os.getpid() != _process or (workers is not None and workers.parent_process() is not None):
        return
    standard: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset())
    versions = {
        name: module.__version__
        for name, module in sorted(sys.modules.items())
        if "." not in name and name not in standard and isinstance(getattr(module, "__version__", None), str)
    }
    _write("end", modules={"python": platform.python_version(), **versions})


atexit.register(_write_end)
