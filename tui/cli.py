"""``fumehood …``: every command by name. A command's module is imported only when it is used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import click

from core.keys.hardening import harden
from core.keys.redaction import redact_process
from tui.console_options import console_options, take_console_options
from tui.exit_codes import MEANING
from tui.outer_edge import guarded


class Entry(NamedTuple):
    """A command as the help lists it.

    Attributes:
        module: where it is, below ``tui.commands``.
        function: its name there.
        line: what it does, in a line.
    """

    module: str
    function: str
    line: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Start": {
        "demo": Entry("start", "demo", "Play a shipped study: real experiments, no key needed."),
        "run": Entry("start", "run", "Investigate a question."),
    },
    "Look": {
        "runs": Entry("look", "runs", "List all runs."),
        "show": Entry("look", "show", "Show a run: plan, prices, what waits, findings."),
        "attach": Entry("attach", "attach", "Follow a run from here."),
        "logs": Entry("logs", "logs", "Show what a script printed."),
        "serve": Entry("console", "serve", "Show the console in a browser on this machine."),
        "paper": Entry("paper", "paper", "Show where the paper is, print or open it, or make its PDF again."),
        "verify": Entry("verify", "verify", "Recompute a paper from its evidence: does every number hold?"),
        "export": Entry("export", "export", "Write a run as one folder or zip file for others."),
    },
    "Decide": {
        "approve": Entry("decide", "approve", "Approve what waits."),
        "reject": Entry("decide", "reject", "Reject what waits, with a note."),
        "answer": Entry("decide", "answer", "Answer a question of an agent."),
        "edit": Entry("edit", "edit", "Change an experiment before it is locked."),
    },
    "Steer": {
        "tell": Entry("steer", "tell", "Send an agent a message."),
        "data": Entry("data", "data", "Give a run files that all its experiments can read; list them."),
        "seeds": Entry("steer", "seeds", "Run an experiment again with more seeds."),
        "budget": Entry("steer", "budget", "Set the cap of a run."),
        "pause": Entry("steer", "pause", "Let nothing new start."),
        "continue": Entry("steer", "go_on", "Let approved experiments start again."),
        "kill": Entry("steer", "kill", "End an experiment, or a run, for good."),
    },
    "Engine": {
        "stop": Entry("engine", "stop", "End a run's engine; the run can be resumed."),
        "resume": Entry("engine", "resume", "Start an engine for a run that has none."),
        "delete": Entry("delete", "delete", "Remove a run for good, with what it has at Modal."),
        "sandboxes": Entry("sandboxes", "sandboxes", "List the sandboxes that are still open; end some."),
        "reproduce": Entry("reproduce", "reproduce", "Run a run's scripts again: do they measure the same?"),
        "models": Entry("models", "models", "List the models that can be named, with their prices."),
        "keys": Entry("keys", "keys", "See, set, check and remove keys."),
        "doctor": Entry("doctor", "doctor", "Say what works on this machine, and how to mend the rest."),
    },
}


class Commands(click.Group):
    """The group of all commands."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every command, in the order of the help."""
        return [name for section in SECTIONS.values() for name in section]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        for section in SECTIONS.values():
            if entry := section.get(name):
                module = importlib.import_module(f"tui.commands.{entry.module}")
                command: click.Command = getattr(module, entry.function)
                return command
        return None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section, without importing any."""
        for section, entries in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, entry.line) for name, entry in entries.items()])

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Say what exit codes mean."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), meaning) for code, meaning in MEANING.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command and exit with its code; no error gets past this."""
        if args is None:  # this process is ours alone, and no test's
            harden()
            redact_process()
        parse_and_run = super().main
        sys.exit(
            guarded(
                lambda: parse_and_run(
                    args,
                    prog_name or "fumehood",
                    complete_var,
                    standalone_mode=False,
                    windows_expand_args=windows_expand_args,
                    **extra,
                )
            )
        )


@click.group("fumehood", cls=Commands, invoke_without_command=True)
@click.version_option(package_name="fumehood", prog_name="fumehood")
@console_options
@click.pass_context
def main(context: click.Context, /, **typed: Any) -> object:
    """An autonomous AI researcher behind glass.

    Agents plan and run experiments; you approve every one with its price; every number in the paper is
    bound to a measurement. Without a command the console opens. Start with 'fumehood demo'.
    """
    if context.invoked_subcommand is not None:
        return None
    from tui.console_start import open_console
    from tui.terminal import can_show_console

    if can_show_console():
        return open_console(lambda: None, take_console_options(typed))
    click.echo(context.get_help())
    return None


if __name__ == "__main__":
    main(prog_name="fumehood")
