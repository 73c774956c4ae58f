"""Keys that the user has changed: used where they can be, told where they cannot."""

from __future__ import annotations

import asyncio

import pytest
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from tests.tui.conftest import Home
from tests.tui.console.shell import SIZE, shell
from tui import keymap
from tui.app import Console
from tui.keymap import Known, known_bindings, normal_keys
from tui.screens.help import HelpScreen


class Tree(Widget):
    """A part."""


class Log(Widget):
    """Another part."""


class Page(Screen[None]):
    """A screen."""


def known(owner: type[Widget] | type[Console], **bindings: str) -> list[Known]:
    """Bindings of a class: keys by id, with ``_`` for the point."""
    return [
        Known(owner, binding)
        for name, keys in bindings.items()
        for binding in Binding.make_bindings([Binding(keys, "act", "act", id=name.replace("_", ".", 1))])
    ]


ALL = [
    *known(Tree, tree_pause="p", tree_kill="x", tree_down="j,down"),
    *known(Log, log_pause="p", log_wrap="w"),
    *known(Console, app_help="question_mark", app_detach="q"),
]


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("P", ["P"]),
        ("?", ["question_mark"]),
        (",", ["comma"]),
        ("ctrl+x, F3", ["ctrl+x", "f3"]),
        ("escape", ["escape"]),
        (" p ", ["p"]),
    ],
)
def test_keys_are_read_as_people_type_them(typed: str, named: list[str]) -> None:
    assert normal_keys(typed) == named


def test_a_key_that_fits_is_taken() -> None:
    wanted = {"tree.pause": "P", "tree.down": "ctrl+n,f5", "app.help": "h"}
    assert keymap.check(wanted, ALL) == (
        {"tree.pause": "P", "tree.down": "ctrl+n,f5", "app.help": "h"},
        [],
    )


def test_an_unknown_binding_is_told() -> None:
    accepted, problems = keymap.check({"tree.fly": "f"}, ALL)
    assert accepted == {}
    assert problems == ["'tree.fly' is no binding; the help names them all."]


@pytest.mark.parametrize("typed", ["", "hyperspace", "ctrl+", "pp"])
def test_what_is_no_key_is_told(typed: str) -> None:
    accepted, (problem,) = keymap.check({"tree.pause": typed}, ALL)
    assert accepted == {}
    assert "is no key" in problem


def test_two_bindings_of_one_part_cannot_have_one_key() -> None:
    accepted, (problem,) = keymap.check({"tree.pause": "j"}, ALL)
    assert accepted == {}
    assert problem == "tree.pause and tree.down both have 'j'. tree.pause keeps its own key."


def test_what_works_everywhere_cannot_be_hidden_by_a_part() -> None:
    accepted, (problem,) = keymap.check({"log.wrap": "q"}, ALL)
    assert accepted == {}
    assert "app.detach" in problem


def test_two_parts_can_have_the_same_key() -> None:
    assert keymap.check({"log.wrap": "x"}, ALL) == ({"log.wrap": "x"}, [])


def test_keys_can_be_exchanged() -> None:
    wanted = {"tree.pause": "x", "tree.kill": "p"}
    assert keymap.check(wanted, ALL) == (wanted, [])


@pytest.mark.parametrize("typed", ["A", "[", "escape", "O", "1", "shift+a", "ctrl+k,D"])
@pytest.mark.parametrize("name", ["tree.kill", "app.detach"])
def test_what_destroys_or_leaves_cannot_have_a_key_that_a_cut_arrow_key_presses(
    name: str, typed: str
) -> None:
    accepted, (problem,) = keymap.check({name: typed}, ALL)
    assert accepted == {}
    assert "cut-off arrow key" in problem


def test_every_binding_of_the_console_has_an_id_and_no_part_has_two_for_a_key() -> None:
    nameless, taken, twice = [], set(), []
    for entry in known_bindings():
        place = (entry.owner, entry.binding.key)
        if entry.binding.id is None:
            nameless.append(place)
        if place in taken:
            twice.append(place)
        taken.add(place)
    assert (nameless, twice) == ([], [])


def test_nothing_grave_is_bound_to_what_a_cut_sequence_can_press() -> None:
    grave = {
        (entry.binding.id, entry.binding.key)
        for entry in known_bindings()
        if entry.binding.id
        and keymap.GRAVE.search(entry.binding.id)
        and keymap.PARTS_OF_SEQUENCES.fullmatch(entry.binding.key)
    }
    assert grave == set()


def test_a_changed_key_works_and_its_old_one_does_not(home: Home) -> None:
    app = shell(home.data, keys={"app.help": "f1", "app.nothing": "z"})

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            assert app.key_problems == ["'app.nothing' is no binding; the help names them all."]
            assert any("'app.nothing' is no binding" in toast for toast in app.toasts)
            await pilot.press("question_mark")
            assert not isinstance(app.screen, HelpScreen)
            await pilot.press("f1")
            assert isinstance(app.screen, HelpScreen)

    asyncio.run(play())


def test_arrows_and_vims_keys_both_move(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("comma")
            for down, up in (("j", "k"), ("down", "up"), ("G", "g"), ("end", "home")):
                options = app.screen.query_one("SettingsList")
                before = getattr(options, "highlighted")  # noqa: B009 - no widget class is needed here
                await pilot.press(down)
                assert getattr(options, "highlighted") > before  # noqa: B009
                await pilot.press(up)
                assert getattr(options, "highlighted") == before  # noqa: B009

    asyncio.run(play())
