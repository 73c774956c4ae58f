"""The approval card: every key, and everything that can change between a look and a key."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from time import monotonic

import pytest

from core import decisions
from core.errors import DecisionError
from core.pricing import Estimate
from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes import console_runs as runs
from tests.fakes.console_story import NEIGHBOURS
from tests.tui.console.card_app import SMALL, Hand, Plan, at_a_card
from tui.approval_queue import Seen, approve_seen, reject_seen
from tui.run_feed import RunFeed
from tui.screens.dialogs import Ask, Confirm
from tui.screens.edit_experiment import EditExperiment
from tui.widgets import approval_front

pytestmark = pytest.mark.usefixtures("home")

DEADLINE_SECONDS = 10.0
SCRIPT, QUESTION = "script:E4:run-2", "question:orchestrator:c9"


def decision_of(folder: RunFolder, request_id: str) -> e.ApprovalDecided | None:
    return folder.state().requests[request_id].decision


def decided_by_another(folder: RunFolder, name: str, *, note: str | None = None) -> None:
    """Another console on the same journal approves, or with a note rejects."""
    other = RunFeed(folder)
    if note is None:
        other.decide(lambda state: decisions.approve(state, name))
    else:
        other.decide(lambda state: decisions.reject(state, name, note))
    other.close()


def edited_by_another(folder: RunFolder, name: str, **changes: object) -> None:
    other = RunFeed(folder)
    other.decide(
        lambda state: decisions.edit(state, name, {k.replace("__", "."): v for k, v in changes.items()})
    )
    other.close()


def asked_again(folder: RunFolder, name: str, maximum: str, detail: str = "") -> None:
    """The engine prices what was edited."""
    experiment = folder.state().experiments[name]
    with folder.journal() as journal:
        journal.append(
            e.ApprovalRequested(
                request_id=f"{name}.{len(experiment.requests) + 1}",
                kind="launch",
                experiment_id=name,
                subject=experiment.spec.sha256,
                title=experiment.spec.title,
                detail=detail,
                estimate=Estimate(maximum=Decimal(maximum)),
            )
        )


def test_nothing_opens_and_no_focus_moves_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        assert hand.screen.counts == [3]
        assert not hand.card.display
        assert isinstance(hand.app.focused, Plan)
        await hand.press("a", "exclamation_mark", "asterisk", "a", "y")
        edited_by_another(folder, "E1", title="Other")
        asked_again(folder, "E1", "9")
        hand.screen.look()
        await hand.pilot.pause()
        assert isinstance(hand.app.focused, Plan)
        assert hand.screen.counts == [3]

    at_a_card(folder, monkeypatch, acts)
    assert len(folder.state().waiting) == 3


def test_a_approves_what_is_shown_at_its_price_and_shows_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open("E2")
        await hand.press("a")
        assert hand.card.queue.selected == "E3.1"
        await hand.pilot.pause()
        assert hand.screen.counts == [3, 2]

    at_a_card(folder, monkeypatch, acts)
    decision = decision_of(folder, "E2.1")
    assert decision is not None
    assert (decision.by, decision.subject) == ("human", NEIGHBOURS.sha256)
    assert decision.maximum_usd == Decimal("1.20")
    assert decision_of(folder, "E3.1") is None


def test_a_double_press_approves_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.pilot.press("a", "a", "a")

    at_a_card(folder, monkeypatch, acts)
    assert [one.asked.request_id for one in folder.state().waiting] == ["E2.1", "E3.1"]


@pytest.mark.parametrize("key", ["a", "r", "e", "d", "space", "asterisk", "enter"])
def test_keys_are_ignored_just_after_the_card_came_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        hand.card.open()
        await hand.pilot.pause()
        hand.time.passes(0.39)
        await hand.pilot.press(key)
        assert hand.app.screen is hand.screen
        assert hand.card.queue.selected == "E1.1"
        assert not hand.card.queue.marked

    at_a_card(folder, monkeypatch, acts)
    assert len(folder.state().waiting) == 3


def test_keys_are_ignored_after_another_request_came_under_the_finger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press("exclamation_mark")
        await hand.pilot.press("a")
        assert len(folder.state().waiting) == 3
        await hand.press("a")

    at_a_card(folder, monkeypatch, acts)
    assert [one.asked.request_id for one in folder.state().waiting] == ["E1.1", "E3.1"]


def test_what_was_edited_after_the_look_is_not_approved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal has the edit and the new price already; the card has not seen them yet."""
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        edited_by_another(folder, "E1", compute__timeout_seconds=86_400)
        asked_again(folder, "E1", "99.00")
        await hand.press("a")
        assert "does not wait any more" in hand.text()

    at_a_card(folder, monkeypatch, acts)
    assert decision_of(folder, "E1.2") is None
    assert len(folder.state().waiting) == 3


def test_an_edit_between_the_question_and_the_yes_approves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press("asterisk", "a")
        assert isinstance(hand.app.screen, Confirm)
        edited_by_another(folder, "E3", compute__timeout_seconds=86_400)
        asked_again(folder, "E3", "99.00")
        await hand.press("y")

    at_a_card(folder, monkeypatch, acts)
    assert all(one.decision is None for one in folder.state().requests.values())


def test_a_decision_made_elsewhere_is_named_and_keys_wait_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)
    monkeypatch.setattr(approval_front, "NOTICE_SECONDS", 1000.0)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        decided_by_another(folder, "E1", note="too dear")
        hand.screen.look()
        assert "rejected by a human at " in hand.text()
        assert "elsewhere: too dear" in hand.text()
        await hand.press("a", "r", "d", "exclamation_mark", "asterisk", "e", "enter")
        assert hand.app.screen is hand.screen
        assert hand.card.queue.selected == "E1.1"
        assert not hand.card.queue.marked

    at_a_card(folder, monkeypatch, acts)
    assert [one.asked.request_id for one in folder.state().waiting] == ["E2.1", "E3.1"]


def test_after_a_moment_the_card_moves_on_from_a_decision_made_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)
    monkeypatch.setattr(approval_front, "NOTICE_SECONDS", 0.01)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        decided_by_another(folder, "E1")
        hand.screen.look()
        deadline = monotonic() + DEADLINE_SECONDS
        while hand.card.queue.selected == "E1.1" and monotonic() < deadline:
            await hand.pilot.pause(0.01)
        assert hand.card.queue.selected == "E2.1"
        assert "1 of 2 waiting" in hand.text()
        await hand.pilot.press("a")
        assert len(folder.state().waiting) == 2

    at_a_card(folder, monkeypatch, acts)


def test_the_card_can_be_left_and_opened_while_it_tells_of_a_decision_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)
    monkeypatch.setattr(approval_front, "NOTICE_SECONDS", 1000.0)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        decided_by_another(folder, "E1")
        hand.screen.look()
        await hand.press("tab")
        await hand.open()
        assert "elsewhere" not in hand.text()
        assert hand.card.queue.selected == "E2.1"

    at_a_card(folder, monkeypatch, acts)


def test_two_consoles_that_approve_at_once_make_one_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        decided_by_another(folder, "E1")
        await hand.press("a")
        assert "approved by a human at " in hand.text()

    at_a_card(folder, monkeypatch, acts)
    with folder.journal() as journal:
        decided = [event for event in journal.read() if isinstance(event, e.ApprovalDecided)]
    assert len(decided) == 1


def test_the_humans_own_decision_is_not_told_as_someone_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        await hand.press("a")
        hand.screen.look()
        assert "elsewhere" not in hand.text()
        assert hand.card.queue.selected == "E2.1"

    at_a_card(folder, monkeypatch, acts)


@pytest.mark.parametrize(
    "sequence", [("escape", "[", "A"), ("escape", "O", "A"), ("escape", "[", "2", "0", "0", "~", "a")]
)
def test_a_split_escape_sequence_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sequence: tuple[str, ...]
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        for key in sequence:
            await hand.pilot.press(key)
            hand.time.passes(0.15 if key == "escape" else 0.01)

    at_a_card(folder, monkeypatch, acts)
    assert len(folder.state().waiting) == 3


def test_no_capital_letter_decides_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press(*"AYERDKX")
        assert hand.app.screen is hand.screen

    at_a_card(folder, monkeypatch, acts)
    assert len(folder.state().waiting) == 3


def test_reject_asks_for_a_note_that_the_orchestrator_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        await hand.press("r")
        assert isinstance(hand.app.screen, Ask)
        assert "The orchestrator reads your reason" in hand.text()
        await hand.press(*"too dear", "enter")

    at_a_card(folder, monkeypatch, acts)
    decision = decision_of(folder, "E1.1")
    assert decision is not None
    assert (decision.decision, decision.note) == ("reject", "too dear")


def test_escape_in_the_note_rejects_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        await hand.press("r", "n", "escape", "escape")
        assert hand.app.screen is hand.screen

    at_a_card(folder, monkeypatch, acts)
    assert decision_of(folder, "E1.1") is None


def test_later_puts_it_at_the_end_for_this_card_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press("d")
        assert [one.asked.request_id for one in hand.card.queue.waiting] == ["E2.1", "E3.1", "E1.1"]
        assert hand.card.queue.selected == "E2.1"
        assert "1 of 3 waiting" in hand.text()
        hand.screen.look()
        await hand.press("d", "d", "d")
        assert hand.card.queue.selected == "E2.1"

    before = folder.state().seq
    at_a_card(folder, monkeypatch, acts)
    assert folder.state().seq == before


def test_marked_ones_are_approved_after_one_question_with_count_and_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press("space", "exclamation_mark", "exclamation_mark", "space")
        assert "2 marked" in hand.text()
        await hand.press("a")
        assert "Approve 2 requests at once?" in hand.text()
        assert "$2.00" in hand.text()
        await hand.press("enter", "enter", "a")
        assert len(folder.state().waiting) == 3
        await hand.press("y")

    at_a_card(folder, monkeypatch, acts)
    assert [one.asked.request_id for one in folder.state().waiting] == ["E2.1"]


def test_no_approves_nothing_and_keeps_the_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press("asterisk", "a", "n")
        assert len(hand.card.queue.marked) == 3
        await hand.press("asterisk")
        assert not hand.card.queue.marked

    at_a_card(folder, monkeypatch, acts)
    assert len(folder.state().waiting) == 3


def test_a_question_and_missing_isolation_cannot_be_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def question(hand: Hand) -> None:
        await hand.open(QUESTION)
        await hand.press("space")
        assert not hand.card.queue.marked

    async def isolation(hand: Hand) -> None:
        await hand.open("isolation")
        await hand.press("space", "asterisk")
        assert set(hand.card.queue.marked) == {"E1.1"}

    at_a_card(runs.waiting_for_words(tmp_path / "q"), monkeypatch, question)
    at_a_card(runs.unpriced(tmp_path / "i"), monkeypatch, isolation)


def test_a_question_is_answered_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting_for_words(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open(QUESTION)
        await hand.press("r")
        assert hand.app.screen is hand.screen
        await hand.press("enter")
        assert "wine data" in hand.text()
        await hand.press(*"yes", "enter", *"but say so", "ctrl+s")

    at_a_card(folder, monkeypatch, acts)
    decision = decision_of(folder, QUESTION)
    assert decision is not None
    assert (decision.decision, decision.note) == ("answer", "yes\nbut say so")


def test_a_script_is_shown_whole_and_approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting_for_words(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open(SCRIPT)
        shown = hand.text()
        assert "22  " in shown
        assert 'print(f"seed {seed}' in shown
        await hand.press("a")

    at_a_card(folder, monkeypatch, acts, SMALL)
    decision = decision_of(folder, SCRIPT)
    assert decision is not None
    assert decision.decision == "approve"


@pytest.mark.parametrize("name", ["isolation", "E1.1"])
def test_missing_isolation_and_an_unknown_price_need_a_y(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = runs.unpriced(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open(name)
        await hand.press("a", "enter", "a")
        assert decision_of(folder, name) is None
        await hand.press("y")

    at_a_card(folder, monkeypatch, acts)
    decision = decision_of(folder, name)
    assert decision is not None
    assert decision.decision == "approve"


def test_enter_unfolds_and_folds_long_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)
    edited_by_another(folder, "E1", plan="First line.\n" + "More of it. " * 40 + "The very end.")
    asked_again(folder, "E1", "2", detail="The price has changed since it was approved.")

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        assert "The price has changed since it was approved." in hand.text()
        assert "The very end." not in " ".join(hand.text().split())
        await hand.press("enter")
        assert "The very end." in " ".join(hand.text().split())
        await hand.press("enter")
        assert "The very end." not in " ".join(hand.text().split())

    at_a_card(folder, monkeypatch, acts)


def test_an_edited_experiment_shows_what_differs_from_the_proposal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)
    edited_by_another(folder, "E1", compute__timeout_seconds=600, hypothesis__seeds=[0, 1, 2])
    asked_again(folder, "E1", "2")

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        text = " ".join(hand.text().split())
        assert "time limit 1200 s → 600 s" in text
        assert "→ 0, 1, 2" in text

    at_a_card(folder, monkeypatch, acts)


def test_editing_oneself_is_not_told_as_a_change_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open("E1")
        await hand.press("e")
        assert isinstance(hand.app.screen, EditExperiment)
        await hand.press(*" again", "ctrl+s")
        hand.screen.look()
        await hand.pilot.pause()
        assert "any more" not in hand.text()
        assert hand.card.queue.selected == "E2.1"

    at_a_card(folder, monkeypatch, acts)
    assert folder.state().experiments["E1"].spec.title.endswith(" again")


@pytest.mark.parametrize("key", ["tab", "escape"])
def test_the_card_goes_away_and_what_waits_goes_on_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press(key)
        await hand.pilot.pause()
        assert not hand.card.display
        assert hand.screen.left == 1

    at_a_card(folder, monkeypatch, acts)
    assert len(folder.state().waiting) == 3


def test_the_last_decision_closes_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open()
        await hand.press("a", "a", "a")
        await hand.pilot.pause()
        assert hand.screen.left == 1
        assert not hand.card.open()

    at_a_card(folder, monkeypatch, acts)
    assert folder.state().waiting == []


@pytest.mark.parametrize(
    ("key", "back"),
    [("j", "k"), ("down", "up"), ("pagedown", "pageup"), ("end", "home"), ("G", "g"), ("ctrl+d", "ctrl+u")],
)
def test_a_long_card_scrolls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, back: str) -> None:
    folder = runs.waiting_for_words(tmp_path)

    async def acts(hand: Hand) -> None:
        await hand.open(SCRIPT)
        view = hand.card.query_one("ApprovalView")
        await hand.press(key)
        assert view.scroll_offset.y > 0
        await hand.press(back)
        assert view.scroll_offset.y == 0

    at_a_card(folder, monkeypatch, acts, SMALL)
    assert decision_of(folder, SCRIPT) is None


def test_keys_can_be_moved_and_clicked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.waiting(tmp_path)

    async def acts(hand: Hand) -> None:
        hand.app.set_keymap({"approval.approve": "w"})
        await hand.open("E2")
        await hand.press("a")
        assert len(folder.state().waiting) == 3
        await hand.press("w")
        assert len(folder.state().waiting) == 2
        hand.time.passes()
        await hand.pilot.click("KeyLine", offset=(0, 0))
        await hand.pilot.pause()

    at_a_card(folder, monkeypatch, acts)
    assert [one.asked.request_id for one in folder.state().waiting] == ["E1.1"]


@pytest.mark.parametrize("changed", [{"subject": "0" * 64}, {"estimate": Estimate(maximum=Decimal("0.10"))}])
def test_only_the_subject_and_the_price_that_were_seen_are_decided(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    state = runs.waiting(tmp_path).state()
    seen = Seen.of(state.requests["E1.1"])
    assert approve_seen(state, seen)[0].subject == seen.subject
    other = replace(seen, **changed)  # type: ignore[arg-type]
    with pytest.raises(DecisionError, match="it changed while you looked"):
        approve_seen(state, Seen.of(state.requests["E2.1"]), other)
    with pytest.raises(DecisionError, match="it changed while you looked"):
        reject_seen(state, other, "no")
