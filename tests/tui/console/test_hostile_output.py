"""Whatever a script prints: only colours reach the terminal, nothing crashes, nothing is interpreted."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console as RichConsole
from textual.events import Paste
from textual.pilot import Pilot

from tests.fakes.console_runs import HOSTILE, hostile_run
from tests.tui.console.log_probe import LogApp, reading, run_that_printed, shown
from tui.log_document import LogDocument
from tui.log_file import LogFile
from tui.log_page import LogPage
from tui.run_feed import RunFeed
from tui.widgets.log_lines import visible
from tui.widgets.log_view import LogView

ESCAPES = (
    "\x1b]52;c;ZXZpbA==\x07",  # writes to the clipboard
    "\x1b]0;title\x1b\\",
    "\x1b]8;;file:///etc/passwd\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[6n\x1b[c",  # asks the terminal, which would answer as if somebody typed
    "\x1b[?1049l\x1b[?1000h",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gf=100;AAAA\x1b\\",
    "\x1b^private\x1b\\",
    "\x9b31m\x9d0;title\x9c",
    "\x1bc\x1b7\x1b8\x1bM",
    "\x1b[31",
    "\x1b]0;never ended",
    "\x1b",
    "\x1b[" + ";" * 100 + "m",
    "\x1b[38;2;300;-1;x;5mcolour\x1b[48;5m",
    "\x1b[38:2::1:2:3m\x1b[8mhidden\x1b[5mblink",
)
TEXTS = (
    "[bold red]markup[/] [@click=app.quit]no[/] [link=file:///etc]x[/link]",
    "$accent {braces} %s \\[escaped]",
    "宽字符" * 3,
    "e\u0301" + "\u0301" * 50,
    "\u0301\u0301 combines with nothing",
    "\u200b\u200d\ufeff\u2060zero",
    "👩\u200d🔬 👍🏽 ❤\ufe0f 🇩🇪",
    "\u202egnitirw\u202c \u2067isolated\u2069 \u200f",
    "עברית عربى",
    "\u2028line\u2029paragraph\x85next\x0b\x0c",
    "tab\tstop\t\t",
    "\x00\x01\x07\x08\x7f",
    "\U000e0041\U000e0042 tags \u00ad soft \u115f filler \ufff9",
    "\ud7ff\ue000\U0010ffff private",
    "x" * 5000,
    "宽" * 3000,
    "\u0301" * 5000,
)
RAW = (
    b"\xff\xfe",
    b"\xc3",
    b"\xe5\xae",
    b"\xf0\x9f\x91",
    b"\xed\xa0\x80",
    b"\r",
    b"\r\n",
    b"\n",
    b"\0" * 100,
)

pieces = (
    st.sampled_from(ESCAPES).map(str.encode)
    | st.sampled_from(TEXTS).map(lambda text: text.encode("utf-8", errors="surrogatepass"))
    | st.sampled_from(RAW)
    | st.binary(max_size=30)
    | st.text(max_size=30).map(lambda text: text.encode("utf-8", errors="surrogatepass"))
)
outputs = st.lists(pieces, max_size=12).map(b"".join)

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
COLOURS_ONLY = re.compile(r"\x1b\[[0-9;]*m")


def assert_inert(text: str) -> None:
    """Assert that a terminal only prints a text."""
    for character in text:
        kind = unicodedata.category(character)
        assert kind not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"), f"{character!r} in {text[:80]!r}"


@settings(max_examples=300, deadline=None)
@given(outputs, st.integers(1, 50), st.booleans(), st.integers(0, 60))
@example(HOSTILE.encode(), 20, True, 0)
@example("\u0301".encode() * 20_000, 7, False, 3)
def test_rows_of_any_output_are_inert_and_fit_the_screen(
    output: bytes, width: int, wraps: bool, left: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "E1-1.log"
        path.write_bytes(output)
        page = LogPage(LogDocument(LogFile(path)), width, 8, wraps)
        page.document.file.look()
        for move in (page.lay_out, page.go_first, lambda: page.scroll(3), lambda: page.scroll(-1)):
            move()
            for row in page.rows:
                assert_inert(row.line.text.plain)
                begin, end, blank = visible(row.line, row.begin, row.end, 0 if wraps else left, width)
                columns = blank + cell_len(row.line.text.plain[begin:end])
                assert columns <= width
                assert columns == blank + row.line.columns[end] - row.line.columns[begin]
        page.document.file.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(outputs)
@example(b"\n".join(piece.encode("utf-8", errors="surrogatepass") for piece in ESCAPES + TEXTS))
@example(HOSTILE.encode() + b"\n" + b"x" * 1_000_000 + b"\n" + b"\x00" * 1000 + b"\n\xff\xfe")
def test_what_is_painted_is_text_and_colours_whatever_keys_are_pressed(output: bytes) -> None:
    """Strips are what the terminal's driver writes, with nothing but SGR added for their styles."""
    console = RichConsole(force_terminal=True, color_system="truecolor")

    async def read() -> None:
        app = LogApp()
        with TemporaryDirectory() as parent, closing(RunFeed(run_that_printed(Path(parent), output))) as feed:
            feed.refresh()
            async with app.run_test(size=(40, 20)) as pilot:
                app.view.show(feed, "E1")
                app.view.focus()
                for key in ("g", "w", "j", "e", "t", "o", "w", "right", "right", "G", "k"):
                    await pilot.press(key)
                    for y in range(app.view.reader.size.height):
                        strip = app.view.reader.render_line(y)
                        assert_inert(strip.text)
                        assert cell_len(strip.text) == app.view.reader.size.width
                        assert_inert(COLOURS_ONLY.sub("", strip.render(console)))
                assert app.is_running

    asyncio.run(read())


def test_markup_is_shown_as_it_was_printed(tmp_path: Path) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        assert shown(view) == ["[bold red]markup[/] [@click=app.quit]no[/]", "\\[x] $accent {y}"]

    output = b"[bold red]markup[/] [@click=app.quit]no[/]\n\\[x] $accent {y}\n"
    reading(run_that_printed(tmp_path, output), act)


def test_colours_are_kept(tmp_path: Path) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        strip = view.reader.render_line(0)
        styles = {segment.text.strip(): segment.style for segment in strip if segment.text.strip()}
        red, plain = styles["red"], styles["plain"]
        assert red is not None
        assert plain is not None
        assert (red.color is not None and red.color.number, red.bold) == (1, True)
        assert not plain.bold

    reading(run_that_printed(tmp_path, b"\x1b[1;31mred\x1b[0m plain\n"), act)


def test_hostile_text_can_be_searched_filtered_and_pasted(tmp_path: Path) -> None:
    output = "\n".join([*ESCAPES, *TEXTS]).encode("utf-8", errors="surrogatepass")

    async def act(pilot: Pilot[int], view: LogView) -> None:
        for number, text in enumerate((*ESCAPES, *TEXTS)):
            await pilot.press("ampersand" if number % 2 else "slash")
            field = pilot.app.focused
            assert field is not None
            field.post_message(Paste(text))
            await pilot.pause()
            assert not CONTROLS.search(field.render_line(0).text)
            await pilot.press("enter")
            await pilot.pause()
            for widget in (view.reader, view.query_one(".log-found")):
                for y in range(widget.size.height):
                    assert_inert(widget.render_line(y).text)

    reading(run_that_printed(tmp_path, output), act)


def test_what_a_script_is_for_is_inert_too(tmp_path: Path) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        for part in view.query("Static"):
            for y in range(part.size.height):
                assert_inert(part.render_line(y).text)

    reading(hostile_run(tmp_path), act)
