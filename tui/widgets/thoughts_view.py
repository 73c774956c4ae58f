"""What an agent thinks, says and does, turn by turn, with the turn that streams now at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, TypeAlias

from textual.binding import Binding, BindingType
from textual.content import Content

from core.record import events as e
from core.record.state import AgentState, RunState
from tui.run_feed import RunFeed
from tui.running_text import blocks_of
from tui.safe_text import one_line, safe
from tui.widgets.code_lines import script_lines
from tui.widgets.page_reader import PageReader
from tui.widgets.plan_rows import ORCHESTRATOR
from tui.wording import counted, time_of_day

FOLDED_CODE_LINES = 12
FOLDED_RESULT_LINES = 4
MOST_PARTIAL_CHARACTERS = 8000
"""Of a turn that streams, its end: drawing it whole ten times a second would cost too much."""

WIDEST = 100
"""Columns of running text; longer lines are hard to read."""

INDENT = "   "
DATA_FENCE = re.compile(r"</?data-[0-9a-f]+>")
"""What tells a model where the words of a program begin and end; it says nothing to people."""

FIRST_TURNS = 100
"""Turns that are laid out at once: the newest, then as many more each time the top is reached."""

_Block: TypeAlias = tuple[tuple[object, ...], list[Content]]
"""A turn laid out, and what its look depends on."""


class ThoughtsView(PageReader):
    """A conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "unfold", "unfold", id="thoughts.unfold"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._feed: RunFeed | None = None
        self._agent = ""
        self._page = ("", 0)
        self._unfolded = False
        self._blocks: list[_Block] = []
        self._first = 0
        self._partial = ""
        self._shown: tuple[object, ...] = ()

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show an agent's conversation; only new turns are laid out."""
        self._feed, self._agent, width = feed, agent, self.size.width
        if not width or feed.state.created is None:
            return
        partial = feed.partials.get(agent, "")[-MOST_PARTIAL_CHARACTERS:]
        page, looks = (agent, width), (feed.state.seq, partial)
        if page == self._page and looks == self._shown:
            return
        anew = page != self._page
        self._page, self._shown = page, looks
        if anew:
            self._blocks.clear()
            conversation = feed.state.agents.get(agent)
            self._first = max(0, len(conversation.turns) - FIRST_TURNS) if conversation else 0
        follow = anew or self.at_bottom
        self._partial = partial
        self._take(feed.state, agent)
        self.set_lines(self._all_lines(feed.state), follow=follow)

    def on_resize(self) -> None:
        """Wrap anew."""
        if self._feed is not None:
            self.show(self._feed, self._agent)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """At the top, lay out earlier turns; what was seen stays where it is."""
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) == 0 < round(old_value) and self._first and self._feed is not None:
            conversation = self._feed.state.agents.get(self._agent)
            if conversation is None:
                return
            earlier = conversation.turns[max(0, self._first - FIRST_TURNS) : self._first]
            blocks = [self._block(self._feed.state, conversation, turn) for turn in earlier]
            self._first -= len(earlier)
            self._blocks[:0] = blocks
            self.set_lines(self._all_lines(self._feed.state))
            added = sum(len(lines) for _, lines in blocks)
            self.scroll_to(y=added, animate=False, force=True, immediate=True)

    def action_unfold(self) -> None:
        """Show scripts and results whole, or folded again."""
        self._unfolded = not self._unfolded
        self._blocks.clear()
        self._shown = ()
        if self._feed is not None:
            self.show(self._feed, self._agent)

    def _take(self, state: RunState, agent: str) -> None:
        """Lay out what is new."""
        conversation = state.agents.get(agent)
        if conversation is None:
            return
        for place, turn in enumerate(conversation.turns[self._first :]):
            if place >= len(self._blocks) or self._blocks[place][0] != _key(conversation, turn):
                self._blocks[place : place + 1] = [self._block(state, conversation, turn)]

    def _block(self, state: RunState, conversation: AgentState, turn: e.TurnFinished) -> _Block:
        return _key(conversation, turn), list(self._turn(state, conversation, turn))

    def _all_lines(self, state: RunState) -> list[Content]:
        lines = [line for _, block in self._blocks for line in block]
        if self._first:
            earlier = f" … {counted(self._first, 'earlier turn')}: go up to see more"
            lines = [Content.styled(earlier, "$muted"), Content(), *lines]
        conversation = state.agents.get(self._agent)
        if conversation is None:
            who = "The orchestrator" if self._agent == ORCHESTRATOR else one_line(self._agent)
            return [Content(), Content.styled(f" {who} has not begun.", "$muted")]
        if conversation.ended is None and len(conversation.asked) > len(conversation.turns):
            lines += self._streaming(conversation)
        elif not lines:
            lines += [Content(), Content.styled(" It has its instructions; nothing is said yet.", "$muted")]
        if conversation.ended is not None and conversation.ended.outcome != "done":
            ended = conversation.ended
            more = f". {ended.message}" if ended.message not in ("", ended.outcome) else ""
            lines += [*self._text(f"ended: {ended.outcome}{more}", "$failed"), Content()]
        return lines

    # A turn.

    def _turn(self, state: RunState, conversation: AgentState, turn: e.TurnFinished) -> Iterator[Content]:
        yield self._head(turn)
        asked = conversation.asked.get(turn.number)
        if asked is not None:
            yield from self._heard(state, asked)
        if turn.thoughts.strip():
            yield from self._text(turn.thoughts, "$muted italic")
            yield Content()
        if turn.text.strip():
            yield from self._text(turn.text)
            yield Content()
        for call in turn.calls:
            yield from self._call(call)
            answer = conversation.answers.get(call.id)
            if answer is None:
                yield Content.styled(f"{INDENT}· no answer yet", "$running")
            else:
                yield from self._answer(answer)
            yield Content()

    def _head(self, turn: e.TurnFinished) -> Content:
        price = f"${turn.cost_usd:.2f}" if turn.cost_usd is not None else "?"
        return Content.assemble(
            (f" turn {turn.number}", "$accent bold"),
            (f"   {time_of_day(turn.at)}   {turn.output_tokens:,} tokens   {price}", "$muted"),
        )

    def _heard(self, state: RunState, asked: e.TurnStarted) -> Iterator[Content]:
        said = {message.message_id: message.text for message in state.messages}
        for name in asked.message_ids:
            if name in said:
                yield from self._text(f"you said: {said[name]}", "$waiting")
        if asked.remark:
            yield from self._text(f"the engine said: {asked.remark}", "$waiting")

    def _streaming(self, conversation: AgentState) -> Iterator[Content]:
        number = len(conversation.turns) + 1
        yield Content.assemble((f" turn {number}", "$accent bold"), ("   ● thinking", "$running"))
        if retry := conversation.retry:
            text = f"tries again in {retry.after_seconds:.0f} s: {retry.reason}"
            yield from self._text(text, "$waiting")
        if self._partial:
            yield from self._text(self._partial, "$muted italic")

    def _call(self, call: e.Call) -> Iterator[Content]:
        arguments = dict(call.arguments)
        code = arguments.pop("code", None)
        head = Content.assemble((f"{INDENT}▸ ", "$accent"), (one_line(call.name, 60), "bold"))
        for name, value in arguments.items():
            room = self._room - head.cell_length
            if room < 12:
                break
            shown = f"{name}: {_shortly(value)}"
            head = head.append(Content.styled(f"   {one_line(shown, room)}", "$muted"))
        yield head
        if isinstance(code, str):
            yield from self._code(code)

    def _code(self, code: str, language: str = "python") -> Iterator[Content]:
        lines = script_lines(code, language)
        shown = lines if self._unfolded or len(lines) <= FOLDED_CODE_LINES + 1 else lines[:FOLDED_CODE_LINES]
        for line in shown:
            yield Content.assemble(INDENT, ("│ ", "$line"), line)
        if len(shown) < len(lines):
            more = f"… {counted(len(lines) - len(shown), 'line')} more"
            yield Content.assemble(INDENT, ("│ ", "$line"), (more, "$muted"))

    def _answer(self, answer: e.ToolAnswered) -> Iterator[Content]:
        text = safe(answer.text).expandtabs(4)
        lines = [line for line in text.split("\n") if line.strip() and not DATA_FENCE.fullmatch(line.strip())]
        most = len(lines) if self._unfolded else FOLDED_RESULT_LINES
        style = "$failed" if answer.error else "$muted"
        for number, line in enumerate(lines[:most] or ["(no text)"]):
            lead = "✗ " if answer.error and number == 0 else "← " if number == 0 else "  "
            shown = Content.styled(line, style)
            if shown.cell_length > self._room:
                shown = shown.truncate(self._room, ellipsis=True)
            yield Content.assemble(INDENT, (lead, style), shown)
        if len(lines) > most:
            yield Content.styled(f"{INDENT}  … {counted(len(lines) - most, 'line')} more", "$muted")

    @property
    def _room(self) -> int:
        return max(20, min(self._page[1] - len(INDENT) - 4, WIDEST))

    def _text(self, text: str, style: str = "") -> Iterator[Content]:
        for block in blocks_of(safe(text).expandtabs(4)):
            if block.code is not None:
                yield from self._code("\n".join(block.lines), block.code)
                continue
            words = Content(block.lines[0])
            for line in (words.stylize(style) if style else words).wrap(self._room):
                yield Content.assemble(INDENT, line)


def _key(conversation: AgentState, turn: e.TurnFinished) -> tuple[object, ...]:
    """What the look of a turn depends on."""
    return (turn.number, *(call.id in conversation.answers for call in turn.calls))


def _shortly(value: Any) -> str:
    """An argument of a tool call in a few words."""
    if isinstance(value, list):
        titles = [
            item["title"] for item in value if isinstance(item, dict) and isinstance(item.get("title"), str)
        ]
        return ", ".join(titles) if titles else counted(len(value), "item")
    if isinstance(value, dict):
        return ", ".join(str(name) for name in value)
    return str(value)
