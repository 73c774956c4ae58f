"""The command palette: every action of the screen behind it, every run, every theme, and the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from core.errors import RunError
from core.record.folder import RunFolder, list_runs
from tui.safe_text import one_line
from tui.themes import title_of

if TYPE_CHECKING:
    from tui.app import Console

MOST_RUNS = 200
TITLE_CHARACTERS = 100


@dataclass(frozen=True)
class Command:
    """Something that can be done.

    Attributes:
        words: what it is called.
        help: the key that does it, or where it leads.
        act: does it.
        found_only: whether it is only listed once it was searched for.
    """

    words: str
    help: str
    act: Callable[[], Awaitable[object] | None]
    found_only: bool = False


@runtime_checkable
class HasKeyless(Protocol):
    """A screen with actions that no key does.

    Attributes:
        keyless: what each is called.
    """

    keyless: Mapping[str, str]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether there is something to act on."""


class ConsoleCommands(Provider):
    """Offers what can be done. Words come from runs, too, so that none of them is markup."""

    async def startup(self) -> None:
        """Gather the commands once; a palette is open for seconds."""
        self._commands = list(self._all())

    async def discover(self) -> Hits:
        """What there is before anything was typed."""
        for command in self._commands:
            if not command.found_only:
                about = Content(command.help).markup
                yield DiscoveryHit(Content(command.words), command.act, command.words, about)

    async def search(self, query: str) -> Hits:
        """What fits the words typed."""
        matcher = self.matcher(query)
        for command in self._commands:
            score, offsets = matcher.fuzzy_search.match(query, command.words)
            if score > 0:
                shown = Content(command.words)
                for offset in offsets:
                    shown = shown.stylize("$accent bold", offset, offset + 1)
                yield Hit(score, shown, command.act, command.words, Content(command.help).markup)

    @property
    def _fumehood(self) -> Console:
        return cast("Console", self.app)

    def _all(self) -> Iterator[Command]:
        console = self._fumehood
        yield from self._of_the_screen()
        yield from self._without_keys()
        yield Command("help: the keys that work here", "?", console.action_help)
        yield Command("settings", "what is set, and where it comes from", console.action_settings)
        yield Command("theme: choose one", "seeing each", console.action_choose_theme)
        words = "stop sparing the line" if console.slow else "spare a slow line"
        yield Command(words, "--slow", self._slow)
        yield Command("detach", "leave; runs go on", console.action_detach)
        for theme in console.our_themes:
            name = one_line(f"theme: {title_of(theme)}")
            yield Command(name, "", partial(self._take_theme, theme.name), found_only=True)
        yield from self._runs()

    def _of_the_screen(self) -> Iterator[Command]:
        """The actions that work on the screen behind the palette, where the focus is."""
        seen = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not (binding.description and binding.id and active.enabled) or active.node is self.app:
                continue
            if (binding.action, active.node) in seen:
                continue
            seen.add((binding.action, active.node))
            moves = not binding.show and active.node is not self.screen  # such as going up and down
            yield Command(
                one_line(binding.description),
                one_line(self.app.get_key_display(binding)),
                partial(self.app.run_action, binding.action, active.node),
                found_only=moves,
            )

    def _without_keys(self) -> Iterator[Command]:
        """The actions of the screen behind the palette that no key does."""
        if isinstance(self.screen, HasKeyless):
            for action, words in self.screen.keyless.items():
                if self.screen.check_action(action, ()):
                    yield Command(words, "", partial(self.app.run_action, action, self.screen))

    def _runs(self) -> Iterator[Command]:
        folders = list_runs(self._fumehood.settings.runs_folder)
        for folder in folders[:MOST_RUNS]:
            try:
                state = folder.state()
            except RunError:
                continue  # the list of runs says what is wrong with it
            title = one_line(state.title, TITLE_CHARACTERS) or folder.run_id
            yield Command(f"open: {title}", folder.run_id, partial(self._open, folder), found_only=True)

    def _open(self, folder: RunFolder) -> None:
        self._fumehood.open_run(folder)

    def _take_theme(self, name: str) -> None:
        self._fumehood.theme = name
        self._fumehood.keep_theme(name)

    def _slow(self) -> None:
        self._fumehood.spare_the_line(not self._fumehood.slow)
