"""Running text of models flows to any width; what was broken on purpose stays so."""

from __future__ import annotations

from tui.running_text import Block, blocks_of

LONG = "a line of a paragraph that was broken because it was long"


def blocks(text: str) -> list[Block]:
    return list(blocks_of(text))


def words(*lines: str) -> list[Block]:
    return [Block((line,)) for line in lines]


def test_a_line_that_was_broken_because_it_was_long_goes_on() -> None:
    assert blocks(f"{LONG}\n{LONG}\nand ends") == words(f"{LONG} {LONG} and ends")


def test_short_lines_lists_quotes_and_tables_stay_as_they_are() -> None:
    kept = ("short", "lines", LONG, f"- {LONG}", f"2. {LONG}", f"> {LONG}", f"| {LONG} |", f"  {LONG}", "# A")
    assert blocks("\n".join(kept)) == words(*kept)


def test_an_empty_line_parts_paragraphs() -> None:
    assert blocks(f"{LONG}\n\n{LONG}") == words(LONG, "", LONG)


def test_code_in_a_fence_is_code_of_its_language() -> None:
    text = f"{LONG}\n```py\nx = 1\n\n  y = 2\n```\nafter\n~~~\nplain\n~~~"
    assert blocks(text) == [
        Block((LONG,)),
        Block(("x = 1", "", "  y = 2"), "python"),
        Block(("after",)),
        Block(("plain",), "text"),
    ]


def test_a_fence_that_is_never_closed_holds_the_rest_and_an_unknown_language_is_plain() -> None:
    assert blocks("```evil-language\nx\ny") == [Block(("x", "y"), "text")]
    assert blocks("") == []
