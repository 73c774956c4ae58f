"""The keys that work on a screen, made from its real bindings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.safe_text import one_line

if TYPE_CHECKING:
    from tui.app import Console

KEY_COLUMNS = 15
WORD_COLUMNS = 29


@dataclass
class Line:
    """One action.

    Attributes:
        keys: what does it, for people.
        words: what it does.
        binding_id: its name in the settings.
        changed: whether the user changed its keys.
    """

    keys: list[str]
    words: str
    binding_id: str
    changed: bool


@dataclass
class Group:
    """The actions of one part of the screen.

    Attributes:
        title: the part.
        lines: its actions.
    """

    title: str
    lines: list[Line] = field(default_factory=list)


def title_of(node: DOMNode) -> str:
    """What a part of the screen is called: ``PlanTree`` is the plan tree."""
    if node.BINDING_GROUP_TITLE:
        return node.BINDING_GROUP_TITLE
    name = type(node).__name__.removesuffix("Screen").removesuffix("View")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def groups_of(screen: Screen[Any]) -> list[Group]:
    """The actions that work on a screen, by part: first where the focus is, then outwards.

    Then follow the parts that can be focused and are not; their keys work once they are.
    """
    console = cast("Console", screen.app)
    groups: dict[DOMNode, Group] = {}
    for active in screen.active_bindings.values():
        group = groups.setdefault(active.node, Group(title_of(active.node)))
        _add(group, active.binding, console)
    found = [groups[node] for node in groups if node is not console]
    if screen.focused is not None and (own := groups.get(screen.focused)) is not None:
        own.title = f"{own.title} – here"
    found += [_other(widget, console) for widget in _others(screen, set(groups))]
    if console in groups:
        found.append(groups[console])
    return [group for group in found if group.lines]


def _others(screen: Screen[Any], shown: set[DOMNode]) -> Iterator[Widget]:
    for widget in screen.query("*"):
        if widget.focusable and widget not in shown:
            yield widget


def _other(widget: Widget, console: Console) -> Group:
    bindings = widget._bindings.copy()
    bindings.apply_keymap(console._keymap)
    group = Group(f"{title_of(widget)} – once it has the focus")
    for _, binding in bindings:
        _add(group, binding, console)
    return group


def _add(group: Group, binding: Binding, console: Console) -> None:
    if not (binding.description and binding.id):
        return  # of Textual's own, which nobody has to know
    # In the line of keys one may stand for several; here each has its own.
    own = replace(binding, key_display=None) if " " in (binding.key_display or "") else binding
    key = one_line(console.get_key_display(own))
    for line in group.lines:
        if line.words == binding.description:
            if key not in line.keys:
                line.keys.append(key)
            return
    changed = binding.id in console._keymap
    group.lines.append(Line([key], one_line(binding.description), binding.id, changed))


class HelpScreen(ModalScreen[None]):
    """Shows the keys of the screen behind it.

    Args:
        behind: that screen.
    """

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical {
        width: 82; max-width: 96%; height: auto; max-height: 94%;
        background: $panel; border-left: outer $accent; padding: 1 2;
    }
    HelpScreen VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    HelpScreen .end { color: $muted; margin-top: 1; height: auto; }
    """

    BINDING_GROUP_TITLE = "Help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close", id="help.close"),
        Binding("j,down", "scroll_down", "down", id="help.down", show=False),
        Binding("k,up", "scroll_up", "up", id="help.up", show=False),
        Binding("g,home", "scroll_home", "top", id="help.top", show=False),
        Binding("G,end", "scroll_end", "end", id="help.end", show=False),
        Binding("space,pagedown", "page_down", "page down", id="help.page_down", show=False),
        Binding("pageup", "page_up", "page up", id="help.page_up", show=False),
    ]

    def __init__(self, behind: Screen[Any]) -> None:
        super().__init__()
        self._behind = behind

    def compose(self) -> ComposeResult:
        """The keys."""
        with Vertical():
            with VerticalScroll(can_focus=False):
                yield Static(self._text())
            yield Static(
                Content("j k scroll   esc closes   keys can be changed: [keys] in config.toml"),
                classes="end",
            )

    def _text(self) -> Content:
        problems = cast("Console", self.app).key_problems
        parts = [Content.styled(f"! {one_line(problem)}\n", "$failed") for problem in problems]
        if parts:
            parts.append(Content("\n"))
        for number, group in enumerate(groups_of(self._behind)):
            parts.append(Content("\n" if number else ""))
            parts.append(Content.styled(f"{group.title}\n", "bold"))
            parts += [_shown(line) for line in group.lines]
        return Content.assemble(*parts).rstrip()

    def action_scroll_down(self) -> None:
        """Scroll down a line."""
        self._scroll.scroll_down(animate=False)

    def action_scroll_up(self) -> None:
        """Scroll up a line."""
        self._scroll.scroll_up(animate=False)

    def action_scroll_home(self) -> None:
        """Scroll to the top."""
        self._scroll.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        """Scroll to the end."""
        self._scroll.scroll_end(animate=False)

    def action_page_down(self) -> None:
        """Scroll down a page."""
        self._scroll.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll up a page."""
        self._scroll.scroll_page_up(animate=False)

    @property
    def _scroll(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)


def _shown(line: Line) -> Content:
    keys = "  ".join(line.keys)
    words = line.words.ljust(WORD_COLUMNS)
    note = f"{line.binding_id} (changed)" if line.changed else line.binding_id
    return Content.assemble(
        "  ", (keys.ljust(KEY_COLUMNS), "$accent bold"), " ", words, " ", (note, "$muted"), "\n"
    )
