"""Characters that the fonts of a PDF have, and those that they lack."""

from __future__ import annotations

import pytest
import typst

from core.paper import glyphs
from core.paper.glyphs import printable

STYLES = ('weight: "regular"', 'weight: "bold"', 'style: "italic"', 'weight: "bold", style: "italic"')


def covered() -> list[str]:
    found = []
    for word in glyphs._COVERED.split():
        first, _, last = word.partition("-")
        found += [chr(code) for code in range(int(first, 16), int(last or first, 16) + 1)]
    return found


@pytest.mark.parametrize("style", STYLES)
def test_the_fonts_that_typst_brings_have_every_character_that_is_printed_as_it_is(style: str) -> None:
    # PDF/A refuses a text that a font cannot show, which nothing else tells.
    lines = "\n\n".join(f'#text({style}, "a\\u{{{ord(c):x}}}")' for c in covered()[::5])
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    source = f'#set text(font: ("New Computer Modern", "Libertinus Serif", "DejaVu Sans Mono"))\n{lines}'
    pdf = typst.Compiler(font_paths=fonts).compile(source.encode(), format="pdf", pdf_standards="a-2b")
    assert isinstance(pdf, bytes)


@pytest.mark.parametrize(
    "text", ["plain", "naïve Łódź", "αβγ ΑΒΓ άέ", "Привет", "שלום", "مرحبا", "नमस्ते", "x ≤ ∞ → ✓ ─┼─", "5 ± 1"]
)
def test_what_the_fonts_have_is_printed_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("你好 world", "[U+4F60 U+597D] world"),
        ("at 🚀.", "at [U+1F680]."),
        ("👩‍🔬 won", "[U+1F469 U+1F52C] won"),
        ("한국 사람", "[U+D55C U+AD6D U+C0AC U+B78C]"),
        ("一二三四五六七八", "[U+4E00 U+4E8C U+4E09 U+56DB U+4E94 U+516D and 2 more]"),
    ],
)
def test_what_no_font_has_is_printed_as_its_code_points_and_never_as_empty_boxes(
    text: str, shown: str
) -> None:
    assert printable(text).replace("\u200d", " ").replace("] [", " ") == shown


def test_an_accent_that_stands_apart_is_joined_with_its_letter() -> None:
    assert printable("e\u0301") == "é"
