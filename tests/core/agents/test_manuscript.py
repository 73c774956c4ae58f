"""What a paper says of its run: everything that happened, whoever writes it, and when."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from core.agents.manuscript import draft_by_code, manuscript
from core.agents.tools import SubmitPaper
from core.paper.document import PaperInput
from core.paper.markdown import compose, paper_markdown
from core.paper.outline import outline
from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes import console_runs
from tests.fakes.tiny_run import call, play, study, tiny_run

WRITER = e.AgentStarted(
    agent="writer", model="m", scripted=False, system="", tools=(), prompt="", prompts_version="1"
)


def written_up(folder: RunFolder, draft: SubmitPaper | None = None) -> PaperInput:
    state = folder.state()
    with folder.journal() as journal:
        return manuscript(journal, state, draft or draft_by_code(state))


def test_a_paper_names_its_authors_every_hypothesis_every_attempt_the_money_and_what_took_part(
    tmp_path: Path,
) -> None:
    text = compose(written_up(console_runs.done(tmp_path))).markdown
    for words in (
        r"*Written by fumehood \(claude-opus-5\). Experiments approved by a human.*",
        "## Abstract",
        "| H1 | Bagging 50 decision trees",
        "| supported |",
        "| refuted |",
        "| inconclusive |",
        "| not judged |",
        "| E3 | Bagged stumps on digits | gave up |",
        r"| E6 | Noisy labels\: does the gain grow? | rejected |",
        "## Departures from the plan",
        "## What looks wrong",
        "The literature was not searched",
        "| whole run, USD | 2.40 |",
        "| of which models, USD | 0.80 |",
        "| model of the researcher | claude-opus-5 |",
        r"| packages of E1 | scikit-learn\>=1.7 |",
        "| code of E1-2 | SHA-256 783977c906432503 |",
        "| prompts | 1 |",
        "| fumehood | 0.1.0 |",
    ):
        assert words in text
    assert "cut off" not in text


def test_money_that_may_have_been_billed_for_turns_cut_off_is_in_the_paper(tmp_path: Path) -> None:
    folder = console_runs.done(tmp_path)
    with folder.journal() as journal:
        journal.append(
            WRITER,
            e.TurnStarted(agent="writer", number=9, at_most_usd=Decimal("0.311")),
            e.TurnRetried(
                agent="writer",
                number=9,
                after_seconds=1,
                reason="cut",
                unsettled_usd=Decimal("0.301"),
            ),
        )
    files = compose(written_up(folder))
    assert "turns cut off, USD | ≤ $0.31 |" in files.markdown.replace("\\", "")
    assert json.loads(files.evidence)["paper"]["unsettled_usd"] == "0.301"


def test_an_unknown_price_is_a_question_mark(tmp_path: Path) -> None:
    folder = console_runs.done(tmp_path)
    with folder.journal() as journal:
        number = len(folder.state().agents["writer"].turns) + 1
        journal.append(e.TurnFinished(agent="writer", number=number, raw={}, text="", thoughts="", calls=()))
    text = compose(written_up(folder)).markdown
    assert "| whole run, USD | ? |" in text
    assert "| of which models, USD | ? |" in text


def test_a_sentence_that_does_not_name_what_it_states_is_listed_for_the_reader(tmp_path: Path) -> None:
    draft = SubmitPaper(title="Scores", abstract="All ran.", body="The mean is {{ score.new : .2f }}.")
    folder = tiny_run(tmp_path, study())
    play(folder)
    files = compose(written_up(folder, draft))
    assert not files.document.draft
    assert "## Sentences to check" in paper_markdown(files.document)
    assert "The mean is 2.04.”: score.new: the sentence does not name arm=new" in files.markdown.replace(
        "\\", ""
    )
    assert "Sentences to check" in [part.title for part in outline(files.document).appendix]
    named = draft.model_copy(update={"body": "The mean of new is {{ score.new : .2f }}."})
    assert "Sentences to check" not in compose(written_up(folder, named)).markdown


def test_a_refused_draft_is_answered_with_each_line_what_to_look_at_and_which_sections_miss(
    tmp_path: Path,
) -> None:
    first = call("submit_paper", title="Scores", abstract="New wins.", body="# Results\n\nIt is 3.14 higher.")
    second = call("submit_paper", title="Scores", abstract="New wins.", body="H1 is {{ verdict(H1) }}.")
    folder = tiny_run(tmp_path, study(writer=[first, second]))
    state = play(folder)
    (refused, published) = state.agents["writer"].answers.values()
    assert refused.error
    assert "line 3" in refused.text
    assert "3.14" in refused.text
    assert "no section Introduction, no section Method" in refused.text
    assert "no section Results" not in refused.text
    assert (published.error, published.ends) == (False, True)
    assert state.paper is not None
    assert state.paper.struck == 0


def test_a_writer_that_never_mends_gets_a_draft_with_the_count_of_what_was_struck_on_page_one(
    tmp_path: Path,
) -> None:
    wrong = call("submit_paper", title="Scores", abstract="New wins.", body="It is 3.14 higher, then 2.71.")
    folder = tiny_run(tmp_path, study(writer=[wrong] * 4))
    state = play(folder)
    assert state.paper is not None
    assert state.paper.struck >= 2
    assert len(state.refusals) == 3
    text = (folder.paper / "paper.md").read_text(encoding="utf-8")
    assert text.startswith(f"> **DRAFT: {state.paper.struck} statements in it have no evidence behind")
    assert state.paper.pdf


def test_a_writer_that_ends_without_a_paper_leaves_its_last_draft_and_one_without_a_draft_what_code_says(
    tmp_path: Path,
) -> None:
    first = call("submit_paper", title="First", abstract="All ran.", body="It is 3.14 higher.")
    last = call("submit_paper", title="Last", abstract="All ran.", body="It is 2.71 higher.")
    for writer, title in (([first, last], "# Last"), ([], "# Is new better")):
        folder = tiny_run(tmp_path / f"{len(writer)}", study(writer=writer))
        state = play(folder)
        assert state.paper is not None
        assert len(state.refusals) == len(writer)
        text = (folder.paper / "paper.md").read_text(encoding="utf-8")
        assert title in text
        assert "| H1 |" in text
        assert ("submitted no paper" in text) == (not writer)
