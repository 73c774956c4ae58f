"""Curves and results: what is read of records, what a chart shows, and what its keys do."""

from __future__ import annotations

import asyncio
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.record.records import Record
from tests.fakes import console_runs
from tests.fakes.console_story import TREES, Story
from tests.tui.console.run_app import opened, play, seen, settle, still, until
from tui.run_records import (
    LARGEST,
    MOST_POINTS,
    MOST_SERIES,
    Curve,
    ExecRecords,
    RunRecords,
    arm_label,
    number,
)
from tui.widgets.chart import Series, Window, draw, shortly
from tui.widgets.findings import sparkline
from tui.widgets.result_table import spread_of

__all__ = ["still"]

ANY_FLOAT = st.floats(-LARGEST, LARGEST)


def record(kind: str, condition: dict[str, Any] | None = None, **body: Any) -> Record:
    return Record("E1-1", 1, kind, 1, condition or {}, body, datetime(2026, 1, 1, tzinfo=UTC), "")


def braille(text: str) -> int:
    """How many cells of a chart have dots in them."""
    return sum("\u2800" < character <= "\u28ff" for character in text)


# Records.


def test_logged_values_become_curves_by_metric_and_condition_over_all_seeds() -> None:
    known = ExecRecords()
    for seed in (0, 1):
        for step in (1, 2, 3):
            known.take(record("log", {"arm": "bagged", "seed": seed}, step=step, values={"loss": 1 / step}))
    ((key, curve),) = known.curves["loss"].items()
    assert list(curve.xs) == [1, 2, 3, 1, 2, 3]
    assert known.conditions[key] == {"arm": "bagged"}


def test_results_are_kept_by_seed_and_a_later_one_replaces_an_earlier() -> None:
    known = ExecRecords()
    for value in (0.3, 0.2):
        known.take(record("result", {"arm": "a", "seed": 4}, name="error", value=value, split="test"))
    ((_, arm),) = known.results["error (test)"].items()
    assert arm == {4.0: 0.2}


@pytest.mark.parametrize(
    "body",
    [
        {"step": "one", "values": {"a": 1}},
        {"step": math.nan, "values": {"a": 1}},
        {"step": 1, "values": [1]},
        {"step": 1},
        {"step": 1, "values": {"a": "text", "b": None, "c": True, "d": math.inf, "e": 10**400}},
    ],
)
def test_what_is_no_number_is_passed_over(body: dict[str, Any]) -> None:
    known = ExecRecords()
    known.take(record("log", **body))
    assert not any(known.curves.values())


def test_a_script_cannot_make_series_without_end() -> None:
    known = ExecRecords()
    for count in range(5 * MOST_SERIES):
        known.take(record("log", {"x": count}, step=1, values={f"m{count}": 1.0, "loss": 1.0}))
        known.take(record("result", {"x": count}, name=f"r{count}", value=1.0))
    assert len(known.curves) <= MOST_SERIES
    assert len(known.results) <= MOST_SERIES
    assert max(len(curves) for curves in known.curves.values()) <= MOST_SERIES


def test_a_long_curve_keeps_its_course_in_bounded_memory() -> None:
    curve = Curve()
    for x in range(4 * MOST_POINTS):
        curve.add(x, 2.0 * x)
    assert len(curve.xs) <= MOST_POINTS
    assert curve.xs[-1] > 3.9 * MOST_POINTS
    assert all(y == 2 * x for x, y in zip(curve.xs, curve.ys, strict=True))


def test_conditions_go_by_the_names_of_the_arms() -> None:
    assert arm_label(TREES.hypothesis, {"base": "tree", "arm": "bagged", "seed": 1}) == "bagged tree"
    assert arm_label(None, {"depth": 3}) == "depth=3"
    assert arm_label(None, {}) == "all"


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from([LARGEST, 10**400]),
        st.text(),
        st.lists(st.integers()),
    )
)
def test_only_finite_numbers_are_numbers(value: Any) -> None:
    drawable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    assert number(value) == (float(value) if drawable else None)


def test_only_what_is_new_is_taken_in_again(still: Path) -> None:
    story = Story(still)
    exec_id = story.script("E1", 1, "pass")
    story.record(exec_id, {"kind": "log", "step": 1, "values": {"loss": 1.0}})
    records = RunRecords(story.told())

    async def scene() -> None:
        await records.catch_up(exec_id)
        story.record(exec_id, {"kind": "log", "step": 2, "values": {"loss": 0.5}})
        await records.catch_up(exec_id)

    asyncio.run(scene())
    records.close()
    (curve,) = records.of(exec_id).curves["loss"].values()
    assert list(curve.ys) == [1.0, 0.5]
    assert not records.may_read(exec_id)


# Charts.


def test_a_falling_line_begins_at_the_top_left_and_ends_at_the_bottom_right() -> None:
    picture = draw([Series("loss", range(100), [-x for x in range(100)])], Window(), 60, 12)
    assert picture is not None
    rows = [line.plain for line in picture.lines[:10]]
    firsts = [next((column for column, c in enumerate(row) if braille(c)), 999) for row in rows]
    assert firsts == sorted(firsts)
    assert rows[-1].rstrip().endswith("a")


def test_series_are_told_apart_without_colours() -> None:
    picture = draw([Series("a", [0, 1], [0, 1]), Series("b", [0, 1], [1, 0])], Window(), 60, 12)
    assert picture is not None
    ends = [line.plain.rstrip()[-1:] for line in picture.lines]
    assert {"a", "b"} <= set(ends)


def test_the_cursor_tells_the_values_where_it_is() -> None:
    line = Series("loss", range(101), [float(x) for x in range(101)])
    at_begin = draw([line], Window(cursor=0.0), 60, 12)
    newest = draw([line], Window(), 60, 12)
    assert at_begin is not None
    assert newest is not None
    assert at_begin.values[0] is not None
    assert at_begin.values[0] < 3
    assert newest.values[0] == pytest.approx(99.8, abs=0.5)


def test_a_logarithm_shows_only_what_has_one_and_tells_values_as_they_are() -> None:
    picture = draw([Series("loss", [0, 1, 2], [-1.0, 10.0, 1000.0])], Window(log_y=True), 60, 12)
    assert picture is not None
    assert picture.values[0] == pytest.approx(1000)


def test_smoothing_keeps_the_places_and_calms_the_values() -> None:
    line = Series("loss", range(200), [x % 2 for x in range(200)])
    rough = draw([line], Window(low=0, high=60), 60, 12)
    calm = draw([line], Window(low=0, high=60, smooth=45), 60, 12)
    assert rough is not None
    assert calm is not None
    assert calm.values[0] == pytest.approx(0.5, abs=0.1)
    assert (calm.low, calm.high) == (rough.low, rough.high)


@given(
    st.lists(st.tuples(ANY_FLOAT, ANY_FLOAT), max_size=30),
    st.integers(1, 90),
    st.integers(1, 20),
    st.booleans(),
    st.sampled_from((1, 5)),
    st.none() | st.floats(0, 1),
)
def test_any_numbers_draw_in_exactly_the_room_there_is(
    points: list[tuple[float, float]], width: int, height: int, log_y: bool, smooth: int, cursor: float | None
) -> None:
    line = Series("x", [x for x, _ in points], [y for _, y in points])
    picture = draw([line, line], Window(log_y=log_y, smooth=smooth, cursor=cursor), width, height)
    if picture is not None:
        assert len(picture.lines) == height
        assert max(line.cell_length for line in picture.lines) <= width


@given(ANY_FLOAT)
def test_a_number_is_short_and_has_a_true_minus(value: float) -> None:
    text = shortly(value)
    assert len(text) <= 10
    assert "-" not in text


@given(st.lists(st.floats(allow_nan=False), max_size=30))
@example([0.0, 5e-324])
@example([-1.7976931348623157e308, 1.7976931348623157e308])
def test_a_sparkline_has_a_bar_for_each_finite_value(values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)]
    assert len(sparkline(values)) == (len(finite) if len(finite) > 1 else 0)


@given(st.lists(ANY_FLOAT, min_size=1, max_size=10))
def test_the_deviation_of_huge_values_is_no_error(values: list[float]) -> None:
    assert spread_of(values)


def test_the_deviation_of_one_value_is_unknown() -> None:
    assert spread_of([1.0]) == "?"
    assert spread_of([1.0, 3.0]) == "1.414"


# The view.


def test_the_table_has_means_and_deviations_over_seeds(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "3")
            await until(pilot, lambda: "bagged tree" in seen(screen), "the table")
            assert "0.1595 ± 0.006631" in seen(screen)

    play(scene)


def test_the_keys_of_the_chart(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "3", "tab")
            await until(pilot, lambda: "1 of 2" in seen(screen), "the chart")
            await pilot.press("c")
            assert "test_error (test) by seed" in await now(screen, pilot)
            await pilot.press("c")
            assert "vote_error" in await now(screen, pilot)
            await pilot.press("L")
            assert "log y" in await now(screen, pilot)
            await pilot.press("s")
            assert "smoothed over 5" in await now(screen, pilot)
            await pilot.press("h", "h")
            assert "at 49" in await now(screen, pilot)
            await pilot.press("plus")
            assert re.search(r"\b1 +25 +50\b", await now(screen, pilot)) is None
            await pilot.press("0")
            text = await now(screen, pilot)
            assert "smoothed" not in text
            assert re.search(r"\b1 +25 +50\b", text)

    async def now(screen: Any, pilot: Any) -> str:
        await settle(pilot)
        return seen(screen)

    play(scene)


def test_curves_grow_while_a_script_logs(still: Path) -> None:
    story = Story(still)
    story.engine()
    story.agent("orchestrator")
    story.propose(TREES)
    story.launch(TREES)
    exec_id = story.script("E1", 1, "pass")
    folder = story.told()

    async def scene() -> None:
        async with opened(folder) as (screen, pilot):
            await pilot.press("j", "j", "3")
            await settle(pilot)
            assert "Nothing is measured yet." in seen(screen)
            points = [{"kind": "log", "step": x, "values": {"loss": 1 / x}} for x in (1, 2, 3)]
            story.record(exec_id, *points)
            await until(pilot, lambda: braille(seen(screen)) > 0, "the curve")

    play(scene)


def test_nothing_is_read_for_views_that_are_not_seen(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    async def remember(records: RunRecords, exec_id: str) -> None:
        read.append(exec_id)

    monkeypatch.setattr(RunRecords, "catch_up", remember)

    async def scene() -> None:
        async with opened(console_runs.running(still), (80, 24)) as (_, pilot):
            await pilot.press("j", "j")
            await settle(pilot)
            assert read == []

    play(scene)
