"""Sets hostile papers one after the other, as a run would, and says what happened: the bench's own process.

``python -m tests.bench.hostile_worker FOLDER [--broken]`` reads one document a line from stdin, as JSON, and
answers each with one line. What Python opens in between is counted by an audit hook.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.agents.tools import SubmitPaper
from core.errors import FumehoodError
from core.paper import pdf
from core.paper.document import Attempt, PaperInput
from core.paper.latex import latex_source
from core.paper.markdown import compose
from core.paper.outline import Outline, outline
from core.paper.pdf import render
from tests.core.evidence.synthetic import a_reference, bagging
from tests.fakes.hostile_documents import CANARY

MEMORY_BYTES = 6 * 1024**3
SECRET = "Kestrel"
"""What stands in every file that must not be read, and in nothing else."""

TOUCHING = ("open", "exec", "os.system", "subprocess.Popen", "socket.connect", "import", "ctypes.dlopen")
"""Audit events of code that reads, runs or asks; none has a place in making a paper's text."""

EVIDENCE = bagging()


class Watch:
    """What Python's audit hook saw while it was looking."""

    def __init__(self) -> None:
        self.looking = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.looking and event in TOUCHING:
            self.seen.append(f"{event} {arguments[:1]!r}"[:200])

    @contextmanager
    def look(self) -> Iterator[None]:
        """Look for a while."""
        self.looking = True
        try:
            yield
        finally:
            self.looking = False


def put_canaries_into_typsts_folder() -> None:
    """Lay files that must not be read into the very folder that Typst may read."""
    first = pdf._Job.__init__

    def with_canaries(self: Any, paper: Any, files: Any, outputs: Any) -> None:
        canaries = {f"{CANARY}.{kind}": canary(kind).encode() for kind in ("txt", "tex", "typ")}
        first(self, paper, {**files, **canaries}, outputs)

    pdf._Job.__init__ = with_canaries  # type: ignore[method-assign]


def canary(kind: str) -> str:
    """A file that must not be read: text that TeX and Typst would set as it is."""
    return f'#let it = "{SECRET}"\n' if kind == "typ" else f"{SECRET}\n"


def paper_of(document: dict[str, Any], *, checked: bool = True) -> PaperInput:
    """The paper that a run would make from what a writer handed in.

    Raises:
        ValidationError: the tool refuses it.
    """
    name = document["name"].encode("utf-8", "replace").decode()
    parts = {part: document[part] for part in ("title", "abstract", "body")}
    if checked:
        parts = SubmitPaper.model_validate(parts).model_dump()
    work = a_reference("breiman1996", "Breiman", 1996)
    return PaperInput(
        **parts,
        evidence=replace(EVIDENCE, references={work.key: replace(work, text=f"{work.text} {name}")}),
        attempts=(Attempt("E1", name, "finished", "supported"),),
        models=(name,),
        literature=name,
        versions={"fumehood": "0.1.0", "of": name},
    )


def set_paper(document: dict[str, Any], watch: Watch, *, broken: bool) -> tuple[Outline, Any, str]:
    """PDF and LaTeX of a document; ``broken``: its body is put into both as it is."""
    with watch.look():
        files = compose(paper_of(document))
        outlined = outline(files.document)
    source = pdf._PAPER
    if broken:
        pdf._PAPER = f"{source}\n{document['body']}\n"
        Path(f"{CANARY}.txt").read_bytes() if "open(" in document["body"] else None
    try:
        rendered = asyncio.run(render(outlined, files.evidence, pages=False, for_latex=True))
    finally:
        pdf._PAPER = source
    with watch.look():
        plots = [f"plot-{number}.pdf" for number in range(1, len(rendered.plots) + 1)]
        latex = latex_source(outlined, plots)
        if broken:
            latex = latex.replace("\\end{document}", f"{document['body']}\n\\end{{document}}")
            with Path(f"{CANARY}.txt").open() as file:
                file.read()
    return outlined, rendered, latex


def main(folder: Path, *, broken: bool) -> int:
    """Answer documents until there is none.

    Returns:
        0.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    put_canaries_into_typsts_folder()
    watch = Watch()
    harmless = {"title": "A", "abstract": "B.", "body": "$x$ | [@breiman1996]", "name": "C"}
    set_paper(harmless, watch, broken=False)  # imports what is imported late
    watch.seen.clear()
    for line in sys.stdin:
        number, document = json.loads(line)
        started = time.monotonic()
        answer: dict[str, Any] = {"number": number, "outcome": "pdf", "reason": ""}
        try:
            _, rendered, latex = set_paper(document, watch, broken=broken)
            place = folder / str(number)
            (place / "figures").mkdir(parents=True, exist_ok=True)
            (place / "paper.pdf").write_bytes(rendered.pdf)
            (place / "paper.tex").write_text(latex, encoding="utf-8")
            for position, plot in enumerate(rendered.plots, 1):
                (place / "figures" / f"plot-{position}.pdf").write_bytes(plot)
        except (FumehoodError, ValidationError) as error:
            answer |= {"outcome": "error", "reason": " ".join(str(error).split())[:300]}
        except Exception as error:  # what the bench is looking for
            answer |= {"outcome": "crash", "reason": f"{type(error).__name__}: {error}"[:300]}
        usage = [
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        answer |= {"seconds": time.monotonic() - started, "kilobytes": max(usage), "seen": watch.seen[:5]}
        watch.seen.clear()
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), broken="--broken" in sys.argv[2:]))
