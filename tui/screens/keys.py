"""Which keys there are, where each is kept, and setting, checking and removing them."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.errors import InputError, KeysError, KeysLocked
from core.keys.asking import Verdict
from core.keys.lookup import key_store
from core.keys.names import KEY_NAMES
from core.keys.pasted import pasted_key
from core.keys.secret import Secret
from core.keys.store import Search
from tui.key_checks import OTHER_HALF, is_blamed, verdict_on
from tui.safe_text import one_line
from tui.screens.dialogs import Confirm
from tui.screens.key_dialogs import AskHidden
from tui.widgets.key_line import KeyLine
from tui.widgets.plain_list import PlainList

NAME_COLUMNS = 20
MASK_COLUMNS = 10
LEAST_PASSPHRASE = 8

LOOKING = "Looking…"


class KeysList(PlainList, inherit_bindings=False):
    """The keys, moved through with arrows and with vim's keys."""

    BINDING_GROUP_TITLE = "Keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "cursor_down", "next", id="keys.next", show=False),
        Binding("k,up", "cursor_up", "previous", id="keys.previous", show=False),
        Binding("g,home", "first", "first", id="keys.first", show=False),
        Binding("G,end", "last", "last", id="keys.last", show=False),
        Binding("enter,s", "select", "set", id="keys.set"),
    ]


class KeysScreen(ModalScreen[None]):
    """Shows every key by its end and its place."""

    BINDING_GROUP_TITLE = "Keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,s", "set", "set", id="keys.set_here"),
        Binding("c", "check", "check", id="keys.check"),
        Binding("d,delete", "remove", "remove", id="keys.remove"),
        Binding("u", "unlock", "unlock", id="keys.unlock"),
        Binding("r", "look", "look again", id="keys.look", show=False),
        Binding("escape,q", "dismiss", "close", id="keys.close"),
    ]

    DEFAULT_CSS = """
    KeysScreen { align: center middle; }
    KeysScreen > Vertical {
        width: 84; max-width: 96%; height: auto; max-height: 94%;
        background: $panel; border-left: outer $accent; padding: 1 2;
    }
    KeysScreen .title { text-style: bold; margin-bottom: 1; }
    KeysScreen KeysList { height: auto; max-height: 10; }
    KeysScreen .about { margin-top: 1; height: 2; color: $foreground; }
    KeysScreen .trouble { height: auto; color: $failed; }
    KeysScreen .said { height: auto; color: $muted; margin-bottom: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: Search | None = None
        self.verdicts: dict[str, Verdict] = {}

    def compose(self) -> ComposeResult:
        """The list, what is known about the key under the cursor, and what is amiss."""
        with Vertical():
            yield Static("Keys", classes="title", markup=False)
            yield KeysList()
            yield Static(classes="about", markup=False)
            yield Static(classes="trouble", markup=False)
            yield Static(classes="said", markup=False)
            yield KeyLine(self)

    def on_mount(self) -> None:
        """Look for them; the screen is there at once."""
        self._show()
        self.query_one(KeysList).focus()
        self.action_look()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what a key is for."""
        self._tell_about(list(KEY_NAMES)[event.option_index])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Set a key."""
        self.action_set()

    @property
    def name_here(self) -> str:
        """The key under the cursor."""
        return list(KEY_NAMES)[self.query_one(KeysList).highlighted or 0]

    @work(exclusive=True, group="keys")
    async def action_look(self) -> None:
        """Look for all keys again."""
        await self._look()

    @work(exclusive=True, group="keys")
    async def action_set(self) -> None:
        """Take a key, check it and keep it."""
        name, refused = self.name_here, ""
        while True:
            prompt = f"{KEY_NAMES[name].provider} gives it out at {KEY_NAMES[name].url}."
            typed = await self.app.push_screen_wait(AskHidden(name, prompt, refused))
            if typed is None:
                return
            try:
                secret = pasted_key(name, typed)
            except InputError as error:
                refused = str(error)
                continue
            self._say(f"Asking {KEY_NAMES[name].provider} about {name}…")
            verdict = await self._checked(name, secret)
            if not is_blamed(name, verdict):
                break
            refused = _in_words(verdict)
        await self._keep(name, secret, verdict)

    @work(exclusive=True, group="keys")
    async def action_check(self) -> None:
        """Ask the provider whether it accepts a key."""
        name = self.name_here
        known = None if self.found is None else self.found.found.get(name)
        if known is None:
            self._say(f"There is no {name} to check.")
            return
        self._say(f"Asking {KEY_NAMES[name].provider} about {name}…")
        verdict = await self._checked(name, known.secret)
        self._say(f"{name}: {_in_words(verdict)}")
        self._show()

    @work(exclusive=True, group="keys")
    async def action_remove(self) -> None:
        """Forget a key, after asking."""
        name = self.name_here
        if not await self.app.push_screen_wait(
            Confirm(f"Forget {name}?", "It is removed wherever fumehood keeps it.")
        ):
            return
        try:
            gone = await key_store().remove(name)
        except KeysError as error:
            self._say(str(error))
            return
        self.verdicts.pop(name, None)
        await self._look()
        held = "; the environment still has it" if name in key_store().environment else ""
        words = f"removed from {', '.join(gone)}" if gone else "was not kept anywhere"
        self._say(f"{name}: {words}{held}.")

    @work(exclusive=True, group="keys")
    async def action_unlock(self) -> None:
        """Unlock the encrypted file with its passphrase, and let the keyring ask for its own."""
        store, found = key_store(), self.found
        if found is None or not found.troubles:
            self._say("Nothing is locked.")
            return
        if isinstance(found.troubles.get("file"), KeysLocked):
            typed = await self.app.push_screen_wait(AskHidden("The passphrase of the encrypted key file"))
            if typed:
                try:
                    await store.file.unlock(Secret(typed))
                except KeysError as error:
                    self._say(str(error))
                    return
        prompt = isinstance(found.troubles.get("keyring"), KeysLocked)
        if prompt:
            self._say(f"Waiting for the {store.keyring.title}, which may ask at the machine's own screen…")
        await self._look(prompt=prompt)

    async def _look(self, *, prompt: bool = False) -> None:
        self.found = await key_store().search(list(KEY_NAMES), prompt=prompt)
        self._say("")
        self._show()

    async def _checked(self, name: str, secret: Secret) -> Verdict:
        """Ask about a key; what is said of a token is said of both its halves."""
        other, other_half = OTHER_HALF.get(name), None
        if other is not None and (known := (await key_store().search([other])).found.get(other)):
            other_half = known.secret
        verdict = await verdict_on(name, secret, other_half)
        self.verdicts[name] = verdict
        if other is not None and other_half is not None:
            self.verdicts[other] = verdict
        return verdict

    async def _keep(self, name: str, secret: Secret, verdict: Verdict) -> None:
        store = key_store()
        self._say(f"Keeping {name}…")
        try:
            kept = await store.keep(name, secret, prompt=True)
            if kept.place == "session" and await self._new_passphrase():
                del store.session[name]
                kept = await store.keep(name, secret)
        except KeysError as error:
            self._say(f"{name} was not kept: {error}")
            return
        await self._look()
        note = f" ({kept.note})" if kept.note else ""
        self._say(f"{name} is kept: {kept.title}{note}; {_in_words(verdict)}")

    async def _new_passphrase(self) -> bool:
        """Ask for a passphrase for a new encrypted file; whether there is one now."""
        refused = ""
        while True:
            prompt = "There is no keyring here. Escape keeps the key until you leave the console only."
            typed = await self.app.push_screen_wait(
                AskHidden("A new passphrase for an encrypted key file", prompt, refused)
            )
            if not typed:
                return False
            if len(typed) < LEAST_PASSPHRASE:
                refused = f"Use {LEAST_PASSPHRASE} characters or more."
            elif await self.app.push_screen_wait(AskHidden("The same passphrase once more")) != typed:
                refused = "These two are not the same."
            else:
                key_store().file.passphrase = Secret(typed)
                return True

    def _show(self) -> None:
        options = self.query_one(KeysList)
        chosen = options.highlighted
        options.clear_options()
        options.add_options([Option(self._row(name), id=name) for name in KEY_NAMES])
        options.highlighted = chosen or 0
        self._tell_about(self.name_here)
        troubles = () if self.found is None else self.found.troubles.values()
        self.query_one(".trouble", Static).update("\n".join(one_line(str(error)) for error in troubles))

    def _row(self, name: str) -> Content:
        known = None if self.found is None else self.found.found.get(name)
        if known is not None:
            mask, place = known.secret.masked, known.title
        elif self.found is None:
            mask, place = "", LOOKING
        else:
            mask, place = ("unknown" if self.found.troubles else "missing"), ""
        verdict = self.verdicts.get(name) if known is not None else None
        state = f"  {verdict.state}" if verdict is not None else ""
        return Content(f"{name:<{NAME_COLUMNS}}{mask:<{MASK_COLUMNS}}{one_line(place)}{state}")

    def _tell_about(self, name: str) -> None:
        key = KEY_NAMES[name]
        self.query_one(".about", Static).update(f"For {key.use}. {key.provider} gives it out at {key.url}")

    def _say(self, words: str) -> None:
        self.query_one(".said", Static).update(one_line(words))


def _in_words(verdict: Verdict) -> str:
    return f"{verdict.state}: {verdict.reason}" if verdict.reason else verdict.state
