"""The nearest of the 256 colours that most terminals over SSH have, chosen by how they look.

What is painted is brought down to them anyway; left to the nearest numbers, a dark grey with a touch of
blue becomes navy.
"""

from __future__ import annotations

from functools import lru_cache

STEPS = (0, 95, 135, 175, 215, 255)
"""The levels of the cube, colours 16 to 231."""

GREYS = tuple((grey, grey) for grey in range(8, 149, 10)) + tuple(
    (grey, grey - 10) for grey in range(158, 239, 10)
)
"""The ramp, from colour 232 on: what is asked for, and what Rich makes of it, which rounds light greys."""

Lab = tuple[float, float, float]


@lru_cache(maxsize=256)
def nearest(colour: str) -> str:
    """The colour that looks most like one.

    Args:
        colour: ``#rrggbb``; any other name stays as it is.
    """
    if len(colour) != 7 or not colour.startswith("#"):
        return colour
    wanted = _lab(int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))
    return min(_known(), key=lambda known: _distance(known[1], wanted))[0]


@lru_cache(maxsize=1)
def _known() -> tuple[tuple[str, Lab], ...]:
    cube = [(red, green, blue) for red in STEPS for green in STEPS for blue in STEPS]
    coloured = [one for one in cube if len(set(one)) > 1 or one[0] in (0, 255)]
    named = [(f"#{red:02x}{green:02x}{blue:02x}", _lab(red, green, blue)) for red, green, blue in coloured]
    return (
        *named,
        *((f"#{asked:02x}{asked:02x}{asked:02x}", _lab(grey, grey, grey)) for asked, grey in GREYS),
    )


def _distance(one: Lab, other: Lab) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _lab(red: int, green: int, blue: int) -> Lab:
    """Oklab (Ottosson 2020, https://bottosson.github.io/posts/oklab): distances are as people see them."""
    r, g, b = (_linear(value / 255) for value in (red, green, blue))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
