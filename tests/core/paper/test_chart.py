"""Laying out plots of any values."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evidence.plots import Curve, Plot, Point
from core.paper.axis import round_values
from core.paper.chart import MOST_CURVES, MOST_STEPS, WIDTH, Chart, lay_out
from core.paper.outline import outline
from core.paper.pdf import render
from core.paper.tree import Drawing, Text
from tests.core.paper.test_markdown import paper

NAMES = (
    "resnet18",
    "vision_transformer_base",
    "efficientnet_b0",
    "mobilenet_v3_large",
    "swin_t",
    "deit_small",
)


def plot(*curves: Curve, log: str = "", unit: str = "") -> Plot:
    return Plot("fig-x", "A plot.", "test_error", "step", log, curves, "e1", unit)


def curve(values: list[float], label: str = "", places: list[float] | None = None, n: int = 1) -> Curve:
    at = places if places is not None else [float(i) for i in range(1, len(values) + 1)]
    spread = [abs(v) * 0.1 if n > 1 and math.isfinite(v) else 0.0 for v in values]
    points = zip(at, values, spread, strict=True)
    return Curve(label, tuple(Point(x, v, v - s, v + s, n) for x, v, s in points))


def every_place(chart: Chart) -> list[tuple[float, float]]:
    drawn = [place for line in chart.lines for place in (*line.points, *line.band, *line.marks)]
    return drawn + [(x, y) for line in chart.lines for x, low, high in line.bars for y in (low, high)]


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(FLOATS, max_size=8), max_size=4),
    st.sampled_from(["", "x", "y", "xy"]),
    st.sampled_from([1, 10]),
)
def test_whatever_the_values_are_everything_stands_inside_the_axes(
    values: list[list[float]], log: str, n: int
) -> None:
    chart = lay_out(plot(*(curve(v, f"curve {i}", n=n) for i, v in enumerate(values)), log=log))
    left, top, right, bottom = chart.frame
    for x, y in every_place(chart):
        assert left - 1e-6 <= x <= right + 1e-6
        assert top - 1e-6 <= y <= bottom + 1e-6
    assert all(top - 1e-6 <= tick.place <= bottom + 1e-6 for tick in chart.y_ticks)
    assert all(left - 1e-6 <= tick.place <= right + 1e-6 for tick in chart.x_ticks)
    assert chart.y_ticks
    assert left < WIDTH / 2


def test_words_under_the_axis_never_run_into_each_other() -> None:
    for values in ([1.0, 2.0, 3.0], [0.001, 0.0012], [1e6, 5e6, 2e7], [-1e-5, 1e-5]):
        chart = lay_out(plot(curve(values, places=values)))
        named = [tick for tick in chart.x_ticks if tick.words]
        assert named
        for first, second in pairwise(named):
            assert first.place + first.wide / 2 < second.place - second.wide / 2


def test_many_long_names_are_slanted_and_none_is_lost() -> None:
    points = tuple(Point(name, 0.1, 0.05, 0.2, 5) for name in NAMES)
    chart = lay_out(plot(Curve("a", points), Curve("b", points)))
    assert chart.slanted
    assert len(chart.x_ticks) == len(NAMES)


def test_curves_over_names_stand_side_by_side() -> None:
    points = tuple(Point(name, 0.1, 0.05, 0.2, 5) for name in ("digits", "wine"))
    chart = lay_out(plot(Curve("a", points), Curve("b", points)))
    first, second = chart.lines
    assert first.points[0][0] + 4 < second.points[0][0]
    assert not first.joined


def test_as_many_curves_as_are_drawn_differ_also_without_their_colours() -> None:
    chart = lay_out(plot(*(curve([1.0, 2.0], f"c{i}") for i in range(20))))
    looks = {(line.mark, line.dash) for line in chart.lines}
    assert len(looks) == len(chart.lines) == MOST_CURVES
    assert "8 more curves are not drawn." in chart.notes


def test_a_logarithmic_axis_with_values_that_are_not_positive_is_linear_and_says_so() -> None:
    chart = lay_out(plot(curve([-1.0, 10.0, 100.0]), log="y"))
    assert "The y axis is linear, as not every value is positive." in chart.notes


def test_many_decades_are_named_by_powers_and_few_by_numbers() -> None:
    many = lay_out(plot(curve([10.0**k for k in range(-9, 3)]), log="y"))
    few = lay_out(plot(curve([0.1, 1.0, 10.0]), log="y"))
    assert {tick.power for tick in many.y_ticks if tick.words} == {-9, -7, -5, -3, -1, 1}
    assert {tick.words for tick in few.y_ticks if tick.words} == {"0.1", "1", "10"}
    assert all(tick.power is None for tick in few.y_ticks)


def test_one_point_is_named_by_its_own_place() -> None:
    chart = lay_out(plot(curve([0.9], places=[3.0], n=10)))
    assert [tick.words for tick in chart.x_ticks] == ["3"]
    assert len(chart.lines[0].bars) == 1


def test_the_unit_stands_at_the_axis_and_the_range_and_its_seeds_in_the_notes() -> None:
    chart = lay_out(plot(curve([0.1, 0.2], n=10), unit="fraction"))
    assert chart.y_label == "test_error (fraction)"
    assert "Means, with bands for the range over 10 seeds." in chart.notes


def test_a_long_series_is_thinned_and_keeps_its_ends() -> None:
    chart = lay_out(plot(curve([float(i) for i in range(50_000)])))
    points = chart.lines[0].points
    assert len(points) == MOST_STEPS
    assert points[-1][1] < points[0][1]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 0.2, ["0", "0.05", "0.10", "0.15", "0.20"]),
        (-20.0, 5.0, ["−20", "−15", "−10", "−5", "0", "5"]),
        (1000.0, 1000.005, ["1000.000", "1000.001", "1000.002", "1000.003", "1000.004", "1000.005"]),
        (0.0, 6e6, ["0", "1e6", "2e6", "3e6", "4e6", "5e6", "6e6"]),
    ],
)
def test_ticks_are_round_and_have_as_many_decimals_each(low: float, high: float, words: list[str]) -> None:
    assert round_values(low, high)[1] == words


def test_plots_of_odd_values_can_be_drawn() -> None:
    files = paper()
    odd = [
        plot(Curve("", ())),
        plot(curve([math.nan, math.inf])),
        plot(curve([1e308, -1e308])),
        plot(curve([1e-320, 2e-320]), log="xy"),
        plot(*(curve([1.0, 2.0], "你好 " * 20) for _ in range(12))),
    ]
    body = tuple(Drawing(replace(each, label=""), (Text("A plot."),)) for each in odd)
    outlined = replace(outline(files.document), body=body)
    rendered = asyncio.run(render(outlined, files.evidence, size="a4", for_latex=True))
    assert len(rendered.plots) == len(odd)
