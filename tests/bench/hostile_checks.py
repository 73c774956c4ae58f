"""What a hostile paper must not do: read a file, run a program, or show what stands in one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.hostile_worker import SECRET
from tests.fakes.hostile_documents import CANARY

LATEX_SECONDS = 60.0
ROOT = Path(__file__).parents[2]
OPENED = re.compile(r'(?:openat?2?|execve|connect)\((?:AT_FDCWD, |\d+, )?(?:"([^"]*)"|(\{[^}]*\}))')
HARMLESS = (
    *("/usr/", "/lib", "/opt/", "/proc/", "/sys/", "/dev/", "/var/lib/texmf", "/etc/texmf"),
    *("/etc/ld.so", "/etc/localtime", "/etc/nsswitch", "/etc/ssl/openssl.cnf"),
)
"""Where programs keep themselves."""


def leaks(pdf: Path) -> Iterator[str]:
    """Whether a PDF shows or holds what stands in the files that must not be read."""
    from pypdf import PdfReader

    reader = PdfReader(pdf)
    texts = [page.extract_text() for page in reader.pages[:40]]
    attached = [
        content.decode(errors="replace") for several in reader.attachments.values() for content in several
    ]
    if any(SECRET in text for text in (*texts, *attached)):
        yield f"{pdf.parent.name}/{pdf.name} holds what stands in a file"


def opened(trace: Path, folder: Path) -> Iterator[str]:
    """What a worker or Typst opened, ran or connected to that is not its own."""
    own = (str(folder / "made"), str(ROOT), sys.prefix, sys.base_prefix, str(folder / "trace"), *HARMLESS)
    results = re.compile(rf"{re.escape(str(folder))}/\d+")
    with trace.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = OPENED.search(line)
            if match is None:
                continue
            what = match[1] if match[1] is not None else f"connect {match[2]}"
            secret = CANARY in what.rpartition("/")[2] and "O_WRONLY" not in line
            if secret or (not what.startswith(own) and not results.match(what) and _is_there(what)):
                yield f"opened {what}"


def _is_there(what: str) -> bool:
    return what.startswith("connect") or (
        what.startswith("/") and not Path(what).is_dir() and Path(what).exists()
    )


def with_latex(place: Path, secrets: Path) -> tuple[str, str, list[str]]:
    """Set a paper with pdflatex, once with and once without the right to run programs."""
    outcome, reason, found = "", "", []
    for shell in ("-no-shell-escape", "-shell-escape"):
        work = place / shell.strip("-")
        shutil.copytree(secrets, work)
        shutil.copytree(place / "figures", work / "figures", dirs_exist_ok=True)
        shutil.copy(place / "paper.tex", work)
        command = ["pdflatex", shell, "-recorder", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        environment = {**os.environ, "openin_any": "a", "max_print_line": "1000"}
        try:
            done = subprocess.run(
                command,
                cwd=work,
                env=environment,
                timeout=LATEX_SECONDS,
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
            outcome = "compiles" if done.returncode == 0 else "does not compile"
        except subprocess.TimeoutExpired:
            outcome = "timeout"
        if outcome != "compiles":
            log = (work / "paper.log").read_text(errors="replace") if (work / "paper.log").exists() else ""
            errors = [line for line in log.splitlines() if line.startswith("!")]
            reason = f"document {place.name}: {outcome}: {' '.join(errors)[:150]}"
        found += [f"document {place.name}, TeX: {line}" for line in _read_by_tex(work)]
    return outcome, reason, found


def _read_by_tex(work: Path) -> Iterator[str]:
    own = {f"paper.{kind}" for kind in ("tex", "aux", "out", "toc", "log", "fls", "pdf")}
    recorded = work / "paper.fls"
    inputs = (
        set(re.findall(r"^INPUT (.*)$", recorded.read_text(errors="replace"), re.MULTILINE))
        if recorded.exists()
        else set()
    )
    for name in sorted(inputs):
        path = (work / name).resolve()
        mine = path.is_relative_to(work) and (path.name in own or path.parent.name == "figures")
        of_tex = "/texmf" in str(path) or str(path).startswith(HARMLESS)
        if not mine and not of_tex:
            yield f"read {name}"
    there = (
        {path.name for path in work.iterdir()}
        - own
        - {"figures"}
        - {f"{CANARY}.{kind}" for kind in ("txt", "tex", "typ")}
    )
    for name in sorted(there):
        yield f"made {name}"
    if (work / "paper.pdf").exists():
        yield from leaks(work / "paper.pdf")
