"""The log of an experiment's scripts is read with keys, and follows what comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes.specs import experiment, new_run
from tests.tui.console.log_probe import (
    ended,
    numbered,
    on_screen,
    place,
    reading,
    requested,
    run_that_printed,
    said,
    shown,
    until,
)
from tui.widgets.log_prompt import LogPrompt
from tui.widgets.log_reader import LogReader
from tui.widgets.log_scroll import LogScroll
from tui.widgets.log_view import LogView

ROWS = 10
"""Rows of log on the small screen of these tests."""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return run_that_printed(tmp_path, numbered(100))


def test_a_log_is_opened_at_its_end_with_a_line_that_says_whose_it_is(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        assert shown(view) == [f"line {number}" for number in range(91, 101)]
        assert said(view, ".log-head").split("  ")[0].strip() == "E1-1 · try it"
        assert said(view, ".log-head").endswith("✓ exit 0 · 4.6 s")
        assert place(view) == "100 lines"

    reading(run, act)


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        (["k"], 90),
        (["up", "up"], 89),
        (["k", "k", "j"], 90),
        (["up", "down"], 91),
        (["g"], 1),
        (["home"], 1),
        (["g", "j", "j", "down"], 4),
        (["g", "ctrl+d"], 5),
        (["g", "ctrl+d", "ctrl+d", "ctrl+u"], 5),
        (["g", "pagedown"], 10),
        (["g", "space", "pageup"], 1),
        (["g", "G"], 91),
        (["g", "end"], 91),
        (["g", "k"], 1),
        (["j"], 91),
    ],
)
def test_keys_move_over_the_log(run: RunFolder, keys: list[str], first: int) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press(*keys)
        await pilot.pause()
        assert shown(view)[0] == f"line {first}"
        assert len(shown(view)) == ROWS

    reading(run, act)


def test_scrolling_up_stops_following_and_news_are_counted_until_the_end_is_seen(tmp_path: Path) -> None:
    folder = run_that_printed(tmp_path, numbered(100), ends=False)

    async def act(pilot: Pilot[int], view: LogView) -> None:
        assert place(view) == "following ▾ 100 lines"
        with folder.log_path("E1-1").open("ab") as log:
            log.write(numbered(4, first=101))
        await until(lambda: place(view) == "following ▾ 104 lines", "following")
        assert shown(view)[-1] == "line 104"
        await pilot.press("k")
        with folder.log_path("E1-1").open("ab") as log:
            log.write(numbered(214, first=105))
        await until(lambda: place(view) == "▼ 214 new · line 94 of 318", "news")
        assert shown(view)[-1] == "line 103"
        await pilot.press("F")
        await until(lambda: place(view) == "following ▾ 318 lines", "following again")
        assert shown(view)[-1] == "line 318"
        await pilot.press("F")
        assert place(view) == "line 309 of 318"
        await pilot.press("j")
        assert place(view) == "following ▾ 318 lines"

    reading(folder, act)


def test_a_search_goes_to_matches_as_they_are_typed_and_counts_them(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("g", "slash", *"line 5")
        await until(
            lambda: view.reader.marked == run.log_path("E1-1").read_bytes().index(b"line 5"), "a jump"
        )
        await pilot.press("enter")
        await until(lambda: said(view, ".log-found").strip() == "/line 5  1/11", "the count")
        assert view.reader.has_focus
        for keys, count, marked in ((["n"], "2/11", 50), (["n", "n"], "4/11", 52), (["N"], "3/11", 51)):
            for key in keys:
                before = view.reader.marked
                await pilot.press(key)
                await until(lambda: view.reader.marked != before, "the next match")  # noqa: B023
            await until(lambda: said(view, ".log-found").strip() == f"/line 5  {count}", "its place")  # noqa: B023
            assert f"line {marked}" in shown(view)
        await pilot.press("escape")
        await until(lambda: not said(view, ".log-found").strip(), "the end of the search")

    reading(run, act)


def test_a_search_goes_on_from_the_other_end(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("slash", *"line 3", "enter")
        await until(lambda: "line 3" in shown(view), "the first match, found from the beginning")
        await pilot.press("N")
        await until(lambda: "line 39" in shown(view), "the last match")

    reading(run, act)


def test_a_search_that_is_given_up_leaves_the_reader_where_he_was(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("g", "j", "slash", *"line 77")
        await until(lambda: "line 77" in shown(view), "the match")
        await pilot.press("escape")
        await pilot.pause()
        assert shown(view)[0] == "line 2"
        assert view.reader.has_focus
        assert not said(view, ".log-found").strip()

    reading(run, act)


def test_a_search_without_a_match_says_so(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("slash", *"nowhere", "enter")
        await until(lambda: "not found" in said(view, ".log-found"), "the word")
        assert shown(view)[-1] == "line 100"

    reading(run, act)


def test_letters_that_are_typed_into_the_prompt_are_no_keys_of_the_log(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("g", "slash", *"wFtensv")
        await pilot.pause()
        assert view.reader.search_text == "wFtensv"
        assert not view.reader.page.wraps if view.reader.page else False
        assert place(view) == "line 1 of 100"

    reading(run, act)


def test_a_filter_shows_only_what_matches_and_is_searched_within(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("ampersand", *"9", "enter")
        await until(lambda: said(view, ".log-found").strip() == "& 9  19 lines", "the count")
        assert shown(view) == [f"line {number}" for number in range(90, 100)]
        await pilot.press("slash", *"1", "enter")
        await until(lambda: "/1  2/2" in said(view, ".log-found"), "the matches within")
        assert "line 91" in shown(view)
        await pilot.press("escape", "escape")
        await until(lambda: not said(view, ".log-found").strip(), "the end of the filter")
        assert place(view) == "line 90 of 100"

    reading(run, act)


def test_a_filter_of_a_long_log_shows_lines_as_they_are_found(tmp_path: Path) -> None:
    log = b"the needle\n" + b"nothing to see here\n" * 3_000_000

    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("ampersand", *"needle", "enter")
        await until(lambda: shown(view) == ["the needle"], "the line")
        await until(lambda: said(view, ".log-found").strip() == "& needle  1 line", "the count")
        await until(lambda: not view.looks, "rest")

    reading(run_that_printed(tmp_path, log), act)


def test_e_goes_from_error_to_error(tmp_path: Path) -> None:
    log = numbered(50) + b"Traceback (most recent call last):\n  File\nValueError: no\n" + numbered(50)

    async def act(pilot: Pilot[int], view: LogView) -> None:
        traceback, value = log.index(b"Traceback"), log.index(b"ValueError")
        for key, where in (("e", traceback), ("e", value), ("E", traceback)):
            await pilot.press(key)
            await until(lambda: view.reader.marked == where, "the error")  # noqa: B023
            assert "ValueError: no" in shown(view)
        await pilot.press("E")
        await until(
            lambda: any("No error" in toast.message for toast in pilot.app._notifications), "the word"
        )

    reading(run_that_printed(tmp_path, log), act)


def test_long_lines_are_cut_and_seen_sideways_or_wrapped(tmp_path: Path) -> None:
    log = bytes(range(97, 123)) * 4 + b"\nshort\n"

    async def act(pilot: Pilot[int], view: LogView) -> None:
        long = log.split(b"\n")[0].decode()
        width = view.reader.size.width
        assert shown(view) == [long[:width], "short"]
        await pilot.press("l")
        assert shown(view)[0] == long[8 : 8 + width]
        await pilot.press("right", "h", "left", "left")
        assert shown(view)[0] == long[:width]
        await pilot.press("w")
        await pilot.pause()
        assert shown(view) == [long[:width], long[width:], "short"]
        await pilot.press("w")
        await pilot.pause()
        assert shown(view) == [long[:width], "short"]

    reading(run_that_printed(tmp_path, log), act)


def test_o_unfolds_progress_and_folds_it_again(tmp_path: Path) -> None:
    log = b"".join(b"%d%%|###  | %d/8 [00:01<00:02, 9.5it/s]\n" % (number, number) for number in range(8))

    async def act(pilot: Pilot[int], view: LogView) -> None:
        assert [row.split("]")[1] for row in shown(view)] == ["  (7 lines folded)"]
        await pilot.press("o")
        await pilot.pause()
        assert len(shown(view)) == 8
        await pilot.press("o")
        await pilot.pause()
        assert len(shown(view)) == 1

    reading(run_that_printed(tmp_path, log), act)


def test_times_are_shown_of_lines_that_came_while_somebody_watched(tmp_path: Path) -> None:
    folder = run_that_printed(tmp_path, b"early\n", ends=False)

    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("t")
        await pilot.pause()
        with folder.log_path("E1-1").open("ab") as log:
            log.write(b"late\n")
        await until(lambda: len(shown(view)) == 2, "the line")
        early, late = shown(view)
        assert early.strip() == "early"
        stamp, word = late.split()
        assert stamp.startswith("+0:")
        assert word == "late"
        await pilot.press("t")
        await pilot.pause()
        assert shown(view) == ["early", "late"]

    reading(folder, act)


def test_earlier_and_later_scripts_are_one_key_away(tmp_path: Path) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        heads = []
        for key in ("less_than_sign", "less_than_sign", "less_than_sign", "greater_than_sign"):
            await pilot.press(key)
            await pilot.pause()
            heads.append((view.exec_id, shown(view), said(view, ".log-head").rpartition("  ")[2]))
        assert heads == [
            ("E1-2", ["two"], "2 of 3"),
            ("E1-1", ["one"], "1 of 3"),
            ("E1-1", ["one"], "1 of 3"),
            ("E1-2", ["two"], "2 of 3"),
        ]

    reading(run_that_printed(tmp_path, b"one\n", b"two\n", b"three\n"), act)


@pytest.mark.parametrize(("reads", "exec_id"), [(False, "E1-2"), (True, "E1-1")])
def test_a_new_script_is_shown_unless_an_older_one_is_being_read(
    tmp_path: Path, reads: bool, exec_id: str
) -> None:
    folder = run_that_printed(tmp_path, numbered(100))

    async def act(pilot: Pilot[int], view: LogView) -> None:
        if reads:
            await pilot.press("k")
        feed = view.feed
        assert feed is not None
        feed.journal.append(requested("E1-2"))
        feed.refresh()
        view.show(feed, "E1")
        await pilot.pause()
        assert view.exec_id == exec_id

    reading(folder, act)


def test_y_copies_what_is_on_the_screen(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)

    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("y")
        await pilot.pause()

    assert reading(run, act).copied == ["\n".join(f"line {number}" for number in range(91, 101))]


def test_y_copies_what_the_mouse_selected_without_colours_and_remarks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    folder = run_that_printed(tmp_path, b"\x1b[31mred\x1b[0m line\n10%\r20%\nlast line\n")

    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.mouse_down(view.reader, offset=(1, 0))
        await pilot.hover(view.reader, offset=(4, 2))
        await pilot.mouse_up(view.reader, offset=(4, 2))
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()

    assert reading(folder, act).copied == ["red line\n20%\nlast"]


def test_s_saves_the_very_bytes_and_overwrites_nothing(run: RunFolder, tmp_path: Path) -> None:
    target = tmp_path / "saved.log"

    async def act(pilot: Pilot[int], view: LogView) -> None:
        def toasted(words: str) -> bool:
            return any(words in f"{toast.title} {toast.message}" for toast in pilot.app._notifications)

        await pilot.press("s", "home", "ctrl+k", *str(target), "enter")
        await until(lambda: toasted("Saved to"), "the word that it is saved")
        await pilot.press("s", "home", "ctrl+k", *str(target), "enter")
        await until(lambda: toasted("is there already"), "the word that it is not")

    reading(run, act)
    assert target.read_bytes() == numbered(100)


def test_the_wheel_and_the_scroll_bar_move_the_log(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot._post_mouse_events([MouseScrollUp], view.reader, offset=(3, 3))
        await pilot.pause()
        assert shown(view)[0] == "line 88"
        await pilot.click(view.reader.vertical_scrollbar, offset=(0, 0))
        await pilot.pause()
        assert shown(view)[0] == "line 79"

    reading(run, act)


def test_where_there_is_no_log_the_view_says_why_and_where_to_look(tmp_path: Path) -> None:
    folder = run_that_printed(tmp_path, b"")
    with folder.journal() as journal:
        journal.append(e.ExperimentProposed(experiment=experiment(2), call_id="c2"))
    words = {
        "E1": "E1-1 printed nothing.",
        "E2": "E2 waits for your approval.",
        "orchestrator": "Only experiments run scripts. What the orchestrator does is among its thoughts.",
        "writer": "Only experiments run scripts. What the writer does is among its thoughts.",
    }
    for agent, word in words.items():

        async def act(pilot: Pilot[int], view: LogView) -> None:
            assert word in " ".join(row.strip() for row in on_screen(view))  # noqa: B023

        reading(folder, act, agent=agent)


@pytest.mark.parametrize("asks", ["slash", "ampersand", "s"])
def test_where_there_is_no_log_nothing_is_asked_about_it_and_its_keys_do_nothing(
    tmp_path: Path, asks: str
) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        before = on_screen(view)
        await pilot.press(asks, "n", "e", "y", "t", "w", "o", "v", "F", "j", "g", "G", "less_than_sign")
        assert not view.query_one(LogPrompt).asks
        assert view.reader.has_focus
        assert on_screen(view) == before

    reading(new_run(tmp_path), act, agent="orchestrator")


def test_a_run_that_has_only_begun_has_an_empty_log(tmp_path: Path) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        assert any("orchestrator" in row for row in on_screen(view))
        assert place(view) == ""

    reading(new_run(tmp_path), act, agent="orchestrator")


def test_nothing_is_done_while_the_log_is_not_on_the_screen(tmp_path: Path) -> None:
    folder = run_that_printed(tmp_path, numbered(100), ends=False)

    async def act(pilot: Pilot[int], view: LogView) -> None:
        view.display = False
        await until(lambda: not view.looks, "the end of looking")
        with folder.log_path("E1-1").open("ab") as log:
            log.write(numbered(100, first=101))
        feed = view.feed
        assert feed is not None
        view.show(feed, "E1")
        assert not view.looks
        assert view.reader.opened is not None
        assert view.reader.opened.size == len(numbered(100))
        view.display = True
        await until(lambda: view.looks and "line 200" in shown(view), "what came meanwhile")

    reading(folder, act)


def test_a_log_that_is_complete_is_not_looked_at_again(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await until(lambda: not view.looks, "rest")

    reading(run, act)


def test_a_script_that_ends_is_said_to_have_ended(tmp_path: Path) -> None:
    folder = run_that_printed(tmp_path, b"Killed\n", ends=False)

    async def act(pilot: Pilot[int], view: LogView) -> None:
        assert "● running 0:0" in said(view, ".log-head")
        feed = view.feed
        assert feed is not None
        feed.journal.append(ended("E1-1", exit_code=137))
        feed.refresh()
        view.show(feed, "E1")
        assert "! exit 137 · 4.6 s" in said(view, ".log-head")

    reading(folder, act)


def test_letters_never_fall_through_to_what_lies_behind_the_log(run: RunFolder) -> None:
    """Elsewhere the same letters ask for more seeds or edit an experiment."""

    async def act(pilot: Pilot[int], view: LogView) -> None:
        pilot.app.bind("n,N,e,E,s,v,t,w,o,y", "quit")
        await pilot.press("n", "N", "E", "e", "t", "w", "o")
        await until(lambda: any("press /" in toast.message for toast in pilot.app._notifications), "the word")
        assert pilot.app.is_running

    reading(run, act)
    reading(run, act, agent="orchestrator")


def test_every_key_can_be_remapped_by_its_id(run: RunFolder) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        pilot.app.set_keymap({"log.follow": "f9", "log.wrap": "f10", "log.first": "f8"})
        await pilot.press("f8")
        assert shown(view)[0] == "line 1"
        await pilot.press("f9", "f10")
        assert view.reader.page is not None
        assert (view.reader.page.follows, view.reader.page.wraps) == (True, True)
        bindings = [*LogView.BINDINGS, *LogReader.BINDINGS, *LogScroll.BINDINGS]
        assert all(isinstance(binding, Binding) and binding.id for binding in bindings)

    reading(run, act)
