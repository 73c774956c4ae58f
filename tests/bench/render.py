"""How long a paper takes to set, in seconds: ``python -m tests.bench.render [evidence.json]``.

Without a file it sets a small paper of made-up measurements; with one, the paper that it belongs to.
Cold is the first time in this process, warm the best of five after it. Each time starts the compiler anew.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.paper.evidence_reading import read_evidence
from core.paper.latex import latex_source
from core.paper.markdown import PaperFiles
from core.paper.outline import outline
from core.paper.pdf import Rendered, render
from tests.core.paper.test_markdown import paper

REPEATS = 5


def made(files: PaperFiles, *, everything: bool) -> Rendered:
    """A paper as PDF; with pictures of its pages, plots for LaTeX and the LaTeX file where all is wanted."""
    outlined = outline(files.document)
    rendered = asyncio.run(render(outlined, files.evidence, pages=everything, for_latex=everything))
    if everything:
        latex_source(outlined, [f"plot-{number}.pdf" for number in range(len(rendered.plots))])
    return rendered


def seconds(work: Callable[[], object]) -> float:
    """How long something takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print a line for each figure."""
    files = read_evidence(Path(sys.argv[1]).read_bytes())[1] if len(sys.argv) > 1 else paper()
    cold = seconds(lambda: made(files, everything=False))
    warm = min(seconds(lambda: made(files, everything=False)) for _ in range(REPEATS))
    whole = min(seconds(lambda: made(files, everything=True)) for _ in range(REPEATS))
    rendered = made(files, everything=True)
    print(f"{len(rendered.pages)} pages, {len(rendered.plots)} plots, {len(files.document.numbers)} numbers")
    print(f"PDF, cold                                  {cold:.2f} s")
    print(f"PDF, warm                                  {warm:.2f} s")
    print(f"PDF, pages as PNG, plots and LaTeX, warm   {whole:.2f} s")


if __name__ == "__main__":
    main()
