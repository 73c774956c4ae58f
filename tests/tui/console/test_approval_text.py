"""What a card says about a request, word for word where the words matter."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content

from core.experiment import Compute, Verdict
from core.pricing import Estimate
from core.record import events as e
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.state import RunState
from tests.fakes import console_runs as runs
from tests.fakes.console_story import Story
from tests.fakes.specs import experiment, run_settings
from tests.tui.plans import ENDED, SPEC, requested
from tui.overview import Overview
from tui.plain.narrator import Narrator
from tui.screen import Screen
from tui.widgets.approval_code import hidden_characters, numbered_code
from tui.widgets.approval_text import fields_of, price_fields
from tui.widgets.field_layout import Field, laid_out
from tui.wording import length_of_time

HOSTILE = "\x1b]52;c;b3duZWQ=\x07[bold]x[/bold]\u202ereversed\x00\x1b[31mred\u200b"


def said(state: RunState, request_id: str) -> dict[str, str]:
    return {field.name: field.text.plain for field in fields_of(state, state.requests[request_id])}


def test_a_repeat_says_what_the_first_time_could_have_shown() -> None:
    repeat = experiment(2, title="Again", repeats="E1")
    verdict = Verdict(outcome="inconclusive", reason="it lies across", visible_effect=0.0123)
    told = [event for event in ENDED if not isinstance(event, (e.VerdictReached, e.RunEnded))]
    state = fold(
        (
            e.RunCreated(run_id="r", question="q", settings=run_settings(), version="0"),
            *told,
            e.VerdictReached(experiment_id="E1", verdict=verdict),
            e.ExperimentProposed(experiment=repeat, call_id="s1"),
        )
    )
    fold([requested(repeat).model_copy(update={"estimate": Estimate()})], state)
    assert "E1 could show ≥ 0.0123" in said(state, "E2.1")["Judged by"]


def test_a_script_says_what_looks_wrong_in_it(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.engine()
    story.propose(SPEC)
    for number, code in enumerate(("import lab\nlab.result('accuracy', 0.9)\n", "print(1)\n"), start=1):
        story.tell(
            e.ApprovalRequested(
                request_id=f"script:E1:run-{number}",
                kind="script",
                experiment_id="E1",
                subject="1" * 64,
                title="measure",
                detail=code,
            )
        )
    state = story.told().state()
    assert said(state, "script:E1:run-1")["Code check"].startswith("line 2: the result 'accuracy'")
    assert "Code check" not in said(state, "script:E1:run-2")


def test_a_script_says_whether_it_counts(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.engine()
    story.propose(SPEC)
    story.agent("E1")
    for number, trial in enumerate((True, False), start=1):
        call = {"code": f"print({number})", "trial": trial}
        story.turn("E1", number, calls={f"run-{number}": ("run_python", call)})
        story.tell(
            e.ApprovalRequested(
                request_id=f"script:E1:run-{number}",
                kind="script",
                experiment_id="E1",
                subject="1" * 64,
                title="one line",
                detail=f"print({number})",
            )
        )
    state = story.told().state()
    assert said(state, "script:E1:run-1")["Counts"].startswith("a trial")
    assert said(state, "script:E1:run-2")["Counts"].startswith("for real")


def test_a_script_with_characters_that_cannot_be_shown_says_how_many() -> None:
    assert hidden_characters("print('a')\r\nx = 1\n\ty\n") == 0
    assert hidden_characters("x = 1  # \u202e\u200bdetrevni") == 2


@pytest.mark.parametrize("columns", [12, 33, 80])
@pytest.mark.parametrize(
    "line", ["x" * 300, "a\u0301" * 120 + "TAIL", "漢字" * 90, "a = 1" + " " * 400 + "; import os"]
)
def test_no_part_of_a_script_is_out_of_sight(line: str, columns: int) -> None:
    shown = numbered_code(f"first\n{line}\nlast", columns)
    gutter = len("1  ")
    rows = shown.plain.split("\n")
    assert "".join(row[gutter:] for row in rows[1:-1]) == line
    assert all(part.cell_length <= columns for part in shown.split("\n"))
    assert rows[-1] == "3  last"


def test_a_script_of_a_megabyte_is_shown_in_one_colour_and_whole() -> None:
    shown = numbered_code("print('x')\n" * 50_000 + "y" * 500_000, 80)
    assert shown.plain.count("print('x')") == 50_000
    assert shown.plain.count("y") == 500_000


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    spec = experiment(1, title=HOSTILE, why=HOSTILE, plan=HOSTILE)
    story = Story(tmp_path)
    story.propose(spec)
    for kind in ("script", "question", "isolation"):
        story.tell(
            e.ApprovalRequested.model_validate(
                {
                    "request_id": kind,
                    "kind": kind,
                    "experiment_id": "E1" if kind == "script" else None,
                    "subject": "1" * 64,
                    "title": HOSTILE,
                    "detail": HOSTILE,
                }
            )
        )
    state = story.told().state()
    for request in state.waiting:
        shown = laid_out(fields_of(state, request), 60).plain + numbered_code(request.asked.detail, 40).plain
        assert not {"\x1b", "\x00", "\x07", "\u202e", "\u200b"} & set(shown)
        if request.asked.kind != "launch":
            assert "[bold]x[/bold]" in shown


def test_long_fields_hang_under_their_names() -> None:
    lines = laid_out([Field("Why", Content("word " * 30)), Field("Plan", Content("one"))], 40).plain.split(
        "\n"
    )
    assert lines[0].startswith("Why          word")
    assert all(line.startswith(" " * 13 + "word") for line in lines[1:-1])
    assert lines[-1].startswith("Plan         one")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 s"), (90, "90 s"), (2400, "40 min"), (3600, "1 h"), (9000, "2 h 30 min"), (86_400, "24 h")],
)
def test_limits_are_said_as_people_say_them(seconds: int, words: str) -> None:
    assert length_of_time(seconds) == words


def test_the_price_of_what_does_not_fit_says_so(tmp_path: Path) -> None:
    state = runs.waiting(tmp_path, budget_usd="1.00").state()
    _, left = price_fields(state, state.requests["E1.1"].asked.estimate)
    assert left.text.plain.startswith("does not fit")


def at_modal(*events: e.Event, **compute: Any) -> RunState:
    """A run at Modal in which one experiment waits, with this machine."""
    spec = experiment(1, compute=Compute(**compute))
    created = e.RunCreated(run_id="r", question="q", settings=run_settings(sandbox="modal"), version="0")
    asked = requested(spec).model_copy(update={"estimate": Estimate(maximum=Decimal(2))})
    return fold([created, *events, e.ExperimentProposed(experiment=spec, call_id="c"), asked])


RATES = e.PricesTaken(
    gpus={"T4": Decimal("0.60"), "L4": Decimal(1), "A10": Decimal(2), "L40S": Decimal(3)},
    cpu=Decimal("0.1"),
    memory=Decimal("0.02"),
    source="your workspace's rates of 2026-11-23",
)


def test_any_gpu_is_said_with_what_each_costs_now() -> None:
    fields = said(at_modal(RATES, gpu="any", timeout_seconds=600), "E1.1")
    assert fields["Machine"] == "modal · the cheapest GPU with room · 1 CPU · 4 GiB · 10 min limit"
    assert fields["GPU"].startswith("now T4 $0.60, L4 $1.00, A10 $2.00 or L40S $3.00 per hour")
    assert "second start" in fields["Preemption"]


def test_a_gpu_that_may_be_a_dearer_one_is_said() -> None:
    fields = said(at_modal(gpu="H100"), "E1.1")
    assert "1 × H100 (or an H200)" in fields["Machine"]
    assert fields["GPU"] == "Modal may give an H200 instead, now $4.54 per hour; the maximum is for that"


def test_a_machine_without_a_gpu_is_not_taken_back() -> None:
    fields = said(at_modal(), "E1.1")
    assert not {"GPU", "Preemption"} & set(fields)
    assert fields["Machine"].startswith("modal · no GPU")


@pytest.mark.parametrize(
    ("events", "source"),
    [((), "Modal's prices of 2026-09-20"), ((RATES,), "your workspace's rates of 2026-11-23")],
)
def test_whose_prices_they_are_and_of_when_is_beside_the_price(
    events: tuple[e.Event, ...], source: str
) -> None:
    state = at_modal(*events)
    fields = {
        field.name: field.text.plain for field in price_fields(state, state.requests["E1.1"].asked.estimate)
    }
    assert fields["Priced by"] == source


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        ({}, "blocked"),
        ({"network": "open"}, "open: scripts can reach, and send to, all of it"),
        ({"network": "allowed", "domains": ["b.example", "*.a.example"]}, "only *.a.example, b.example"),
    ],
)
def test_what_of_the_network_is_reached_is_said(compute: dict[str, Any], words: str) -> None:
    assert said(at_modal(**compute), "E1.1")["Network"] == words


def test_packages_that_nobody_named_are_said_too() -> None:
    assert said(at_modal(), "E1.1")["Packages"].startswith("the usual ones: matplotlib, numpy")
    assert said(at_modal(packages=["transformers"]), "E1.1")["Packages"] == "transformers"


DATA = tuple(
    e.DataAdded(name=name, sha256="0" * 64, size_bytes=500_000)
    for name in ("a.csv", "b.csv", "c\n.csv", "d.csv")
)


def test_the_data_that_scripts_can_read_is_said() -> None:
    assert "Data" not in said(at_modal(), "E1.1")
    assert said(at_modal(*DATA[:1]), "E1.1")["Data"] == "a.csv · 500 kB · read-only"
    alone = e.EngineStarted(pid=1, host="h", isolation="process only")
    assert said(at_modal(*DATA[:1], alone), "E1.1")["Data"] == "a.csv · 500 kB"
    assert said(at_modal(*DATA), "E1.1")["Data"] == "a.csv, b.csv, c .csv and 1 more · 2 MB · read-only"


@pytest.mark.parametrize("compute", [{"gpu": "any"}, {"network": "allowed", "domains": ["a.example"]}])
def test_plain_lines_and_the_overview_say_the_same(tmp_path: Path, compute: dict[str, Any]) -> None:
    state = at_modal(RATES, *DATA, **compute)
    screen = Screen.of()
    folder = RunFolder(tmp_path / "r")
    folder.path.mkdir()
    (request,) = state.waiting
    shown = said(state, "E1.1")
    plain = "\n".join(Narrator(folder, screen).waits(state, request))
    page = "\n".join(Overview(folder, state, screen).lines())
    for text in (plain, page):
        for name in {"Machine", "GPU", "Preemption", "Network", "Packages", "Data"} & set(shown):
            assert shown[name] in text, name
        assert "your workspace's rates of 2026-11-23" in text
