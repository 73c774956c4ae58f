"""A thousand hostile papers: no file is read, nothing runs, and a PDF or one clear error comes out.

Run with ``python -m tests.bench.hostile_paper``; ``--count`` for a short form. What a worker and Typst
open is seen by strace where there is one, what TeX opens by its own recorder; and the files that must not
be read hold a word that must not stand in any PDF. First the checker proves, on papers set without any
care, that it can fail.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.hostile_checks import ROOT, leaks, opened, with_latex
from tests.bench.hostile_worker import canary
from tests.fakes.hostile_documents import CANARY, HostileDocument, hostile_documents

MOST_SECONDS = 150.0
"""For one paper; a worker that takes longer is ended."""


@dataclass
class Counts:
    """What happened.

    Attributes:
        outcomes: PDFs, clear errors, crashes, timeouts.
        read: what was read, run or asked that has no place in making a paper; one line each.
        crashes: reasons.
        errors: reasons of clear errors, counted.
        latex: outcomes of pdflatex on a sample.
        seconds: of each paper.
        kilobytes: the most memory of any process.
        traced: whether strace was there.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    read: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    latex: Counter[str] = field(default_factory=Counter)
    latex_errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    kilobytes: int = 0
    traced: bool = False


class Worker:
    """A process that sets papers, under strace where there is one."""

    def __init__(self, folder: Path, *, broken: bool = False) -> None:
        self._folder, self._broken = folder, broken
        self._process: subprocess.Popen[str] | None = None
        self._starts = 0

    def answer(self, number: int, document: HostileDocument) -> dict[str, Any]:
        """What a document came to."""
        process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        started = time.monotonic()
        try:
            process.stdin.write(json.dumps([number, asdict(document)]) + "\n")
            process.stdin.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                line = process.stdout.readline() if selector.select(MOST_SECONDS) else None
        except BrokenPipeError:
            line = ""
        if not line:
            self.end()
            outcome = "timeout" if line is None else "crash"
            seconds = time.monotonic() - started
            reason = "" if line is None else "the worker died"
            return {
                "number": number,
                "outcome": outcome,
                "reason": reason,
                "seconds": seconds,
                "kilobytes": 0,
                "seen": [],
            }
        told: dict[str, Any] = json.loads(line)
        return told

    def _started(self) -> subprocess.Popen[str]:
        trace = self._folder / f"trace-{os.getpid()}-{id(self)}-{self._starts}"
        self._starts += 1
        calls = "trace=open,openat,openat2,execve,connect"
        strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", calls, "-e", "signal=none", "-o", str(trace)]
        traced = strace if shutil.which("strace") else []
        command = [*traced, sys.executable, "-m", "tests.bench.hostile_worker", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, *(["--broken"] if self._broken else [])],
            cwd=self._folder / "secrets",
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": str(self._folder / "made"),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self._process

    def end(self) -> None:
        """End the process and all that it started."""
        if self._process is not None:
            assert self._process.stdin is not None
            try:
                self._process.stdin.close()
                self._process.wait(5)
            except (subprocess.TimeoutExpired, BrokenPipeError):
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
        self._process = None


def run(
    documents: Sequence[HostileDocument], folder: Path, *, every: int, broken: bool = False, workers: int = 2
) -> Counts:
    """Set documents and look at what was read.

    Args:
        documents: the documents.
        folder: where to work; holds ``secrets``.
        every: each such document is also set by pdflatex; 0 for none.
        broken: without any care, to see whether that is noticed.
        workers: processes at once.
    """
    counts = Counts(traced=shutil.which("strace") is not None)
    numbered = list(enumerate(documents))

    def work(share: Sequence[tuple[int, HostileDocument]]) -> list[dict[str, Any]]:
        worker = Worker(folder, broken=broken)
        try:
            return [worker.answer(number, document) for number, document in share]
        finally:
            worker.end()

    with ThreadPoolExecutor(workers) as pool:  # each thread only waits for its own process
        shares = [numbered[first::workers] for first in range(workers)]
        told = [answer for answers in pool.map(work, shares) for answer in answers]
        for answer in sorted(told, key=lambda a: int(a["number"])):
            _count(answer, counts)
        made = [a["number"] for a in told if a["outcome"] == "pdf"]
        for lines in pool.map(lambda number: list(leaks(folder / str(number) / "paper.pdf")), made):
            counts.read += lines
        sample = sorted(n for n in made if every and n % every == 0)
        for result, reason, lines in pool.map(
            lambda n: with_latex(folder / str(n), folder / "secrets"), sample
        ):
            counts.latex[result] += 1
            counts.latex_errors += [reason] if reason else []
            counts.read += lines
    for trace in sorted(folder.glob("trace-*")):
        counts.read += opened(trace, folder)
    if (pwned := list(folder.rglob("pwned*"))) and not broken:
        counts.read += [f"something was run: {path.relative_to(folder)}" for path in pwned]
    return counts


def _count(answer: dict[str, Any], counts: Counts) -> None:
    counts.outcomes[answer["outcome"]] += 1
    counts.seconds.append(answer["seconds"])
    counts.kilobytes = max(counts.kilobytes, answer["kilobytes"])
    counts.read += [f"document {answer['number']}: Python did {seen}" for seen in answer["seen"]]
    if answer["outcome"] in ("crash", "timeout"):
        counts.crashes.append(f"document {answer['number']}: {answer['outcome']} {answer['reason']}")
    if answer["outcome"] == "error":
        counts.errors[re.sub(r"\d+", "N", answer["reason"])[:90]] += 1


def lay_secrets(folder: Path) -> Path:
    """Files that must not be read."""
    secrets, made = folder / "secrets", folder / "made"
    for place in (secrets, made):
        place.mkdir(parents=True)
    for kind in ("txt", "tex", "typ"):
        (secrets / f"{CANARY}.{kind}").write_text(canary(kind))
    return secrets


CARELESS = (
    ('#read("canary.txt")', "Typst reads"),
    ('#import "canary.typ": it\n#it', "Typst imports"),
)


def checker_can_fail(folder: Path) -> list[str]:
    """Set papers without any care, and name what the checker did not notice; empty where it noticed all."""
    missed = []
    lay_secrets(folder)
    for position, (body, what) in enumerate(CARELESS):
        document = HostileDocument("A", "B.", body, "C", reading=True)
        counts = run([document], folder, every=0, broken=True, workers=1)
        leaks = [line for line in counts.read if "holds what stands in a file" in line]
        opens = [line for line in counts.read if "Python did open" in line]
        missed += [f"{what}: its content in the PDF"] * (not leaks)
        missed += [f"{what}: the opening in Python"] * (not opens and not position)
        missed += [f"{what}: the opening seen by strace"] * (
            counts.traced
            and not any(f"opened {CANARY}" in line or "/canary.t" in line for line in counts.read)
        )
    if shutil.which("pdflatex"):
        for number, body in ((901, r"\input{canary.txt}"), (902, r"\immediate\write18{touch pwned}")):
            place = folder / str(number)
            (place / "figures").mkdir(parents=True)
            text = f"\\documentclass{{article}}\n\\begin{{document}}\nWords.\n{body}\n\\end{{document}}\n"
            (place / "paper.tex").write_text(text)
            _, _, found = with_latex(place, folder / "secrets")
            missed += [f"TeX: {body}"] * (not found)
    return missed


def main() -> int:
    """Print the counts.

    Returns:
        0 if nothing was read or run, and a PDF or one clear error came of every document; else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="documents")
    parser.add_argument("--seed", type=int, default=1, help="what they are made from")
    parser.add_argument("--every", type=int, default=10, help="each such document is also set by pdflatex")
    parser.add_argument("--keep", type=Path, default=None, help="a new folder to leave everything in")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hostile-") as made:
        missed = checker_can_fail(Path(made) / "checker")
        said = f"NO: {'; '.join(missed)}" if missed else "yes"
        print(f"the checker notices papers set without care: {said}")
        folder = given.keep or Path(made) / "papers"
        secrets = lay_secrets(folder)
        counts = run(
            hostile_documents(given.seed, given.count, str(secrets)), folder.resolve(), every=given.every
        )
    told = ", ".join(
        f"{counts.outcomes[outcome]} {words}"
        for outcome, words in (
            ("pdf", "PDFs"),
            ("error", "clear errors"),
            ("crash", "crashes"),
            ("timeout", "timeouts"),
        )
    )
    strace = "seen by strace" if counts.traced else "without strace"
    print(f"{given.count} documents: {told}, {len(counts.read)} files read or programs run ({strace})")
    ordered = sorted(counts.seconds)
    print(
        f"seconds a document: median {ordered[len(ordered) // 2]:.2f}, most {ordered[-1]:.1f}; "
        f"most memory {counts.kilobytes / 1e6:.2f} GB; {time.monotonic() - started:.0f} s in all"
    )
    for reason, count in counts.errors.most_common(12):
        print(f"  error, {count} times: {reason}")
    if counts.latex:
        print("pdflatex: " + ", ".join(f"{count} {result}" for result, count in sorted(counts.latex.items())))
    for line in [*counts.crashes, *counts.latex_errors, *counts.read][:60]:
        print(f"  {line}")
    sound = not (missed or counts.read or counts.crashes) and set(counts.latex) <= {"compiles"}
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
