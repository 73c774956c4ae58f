"""Papers by an author who wants to read files or run code: the bench's short form."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from core.paper.latex import latex_source
from core.paper.outline import outline
from core.paper.pdf import render
from tests.bench.hostile_paper import checker_can_fail, lay_secrets, run
from tests.core.paper.test_markdown import paper
from tests.fakes.hostile_documents import hostile_documents

COUNT = 40
LATEX_EVERY = 13 if shutil.which("pdflatex") else 0


def test_the_checker_notices_papers_that_are_set_without_any_care(tmp_path: Path) -> None:
    assert checker_can_fail(tmp_path / "checker") == []


def test_hostile_papers_read_nothing_run_nothing_and_come_out_as_pdf_or_one_clear_error(
    tmp_path: Path,
) -> None:
    secrets = lay_secrets(tmp_path / "papers")
    documents = hostile_documents(7, COUNT, str(secrets))
    assert sum(document.reading for document in documents) > COUNT / 2
    counts = run(documents, tmp_path / "papers", every=LATEX_EVERY)
    assert counts.read == []
    assert counts.crashes == []
    assert counts.outcomes["pdf"] + counts.outcomes["error"] == COUNT
    assert counts.outcomes["pdf"] > COUNT * 0.9
    assert set(counts.latex) <= {"compiles"}, counts.latex_errors


def typeset(body: str) -> str:
    """The LaTeX of a paper whose PDF could be made."""
    files = paper(body=body)
    outlined = outline(files.document)
    assert asyncio.run(render(outlined, files.evidence)).pdf.startswith(b"%PDF-")
    return latex_source(outlined)


def test_a_formula_of_nothing_opens_no_displayed_one() -> None:
    source = typeset(r"Words $\limits$ and $\displaystyle$ end.")
    line = next(line for line in source.splitlines() if line.startswith("Words"))
    assert "$$" not in line


def test_a_reference_to_a_formula_that_was_not_understood_costs_no_paper() -> None:
    assert r"\label{eq-x}" not in typeset("$$\n\\input{x}\n$$ {#eq-x}\n\nSee @eq-x.")


def test_a_label_that_is_given_twice_is_kept_once_also_inside_lists() -> None:
    labelled = "$$\ny\n$$ {#eq-x}"
    inside = "- a\n\n  $$\n  y\n  $$ (eq-x)\n"
    source = typeset(f"{labelled}\n\n{inside}\n{labelled}\n\nSee @eq-x.")
    assert source.count(r"\label{eq-x}") <= 1


def test_a_heading_inside_a_list_or_quote_is_bold_text_in_latex() -> None:
    source = typeset("- # First\n\n> ## Second\n")
    assert r"\textbf{First}" in source
    assert r"\textbf{Second}" in source


def test_a_table_of_a_thousand_columns_is_shown_as_text() -> None:
    wide, narrow = (f"|{' a |' * n}\n|{'---|' * n}\n" + "| x |\n" * 60 for n in (1000, 9))
    tables = [typeset(text).count("tabular}") for text in ("Words.", wide, narrow)]
    assert tables[0] == tables[1] < tables[2]


def test_a_document_whose_structure_typst_cannot_tag_still_becomes_a_pdf(tmp_path: Path) -> None:
    secrets = lay_secrets(tmp_path / "papers")
    split = hostile_documents(2, 734, str(secrets))[733]
    assert run([split], tmp_path / "papers", every=0, workers=1).outcomes == {"pdf": 1}
