"""``fumehood runs`` and ``show``: looking, without changing anything."""

from __future__ import annotations

import json
from dataclasses import dataclass

import click

from core.config import read_settings
from core.errors import RunError
from core.evidence.measurement import Flag
from core.pricing import dollars
from core.record.folder import RunFolder, list_runs
from core.record.state import RunState
from tui.exit_codes import ExitCode
from tui.open_run import named_run
from tui.overview import Overview
from tui.safe_text import one_line
from tui.screen import FILE_COLUMNS, Mark, Screen
from tui.status import Status, status_of, verdicts_in_short
from tui.wording import age

MOST_RECORDS = 100_000
UNREADABLE = Mark("!", "unreadable", "red")
STATE_COLUMNS = 14
QUESTION_COLUMNS = 64
VERDICT_COLUMNS = 12

TABLE_COLUMNS = FILE_COLUMNS
"""With fewer columns a run takes two lines."""


@dataclass(frozen=True)
class Row:
    """A run in the list.

    Attributes:
        folder: the run.
        state: what it looks like; None where its journal cannot be read.
        status: how it stands.
        trouble: why it cannot be read; empty where it can.
    """

    folder: RunFolder
    state: RunState | None
    status: Status
    trouble: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One run per line, as JSON.")
def runs(as_json: bool) -> ExitCode:
    """List all runs, the latest first."""
    screen = Screen.of()
    rows = [_row(folder) for folder in list_runs(read_settings().runs_folder)]
    rows.sort(
        key=lambda row: row.state.last_at.timestamp() if row.state and row.state.last_at else 0.0,
        reverse=True,
    )
    if as_json:
        for row in rows:
            screen.line(json.dumps(_as_json(row)))
    elif rows:
        wide = screen.columns >= TABLE_COLUMNS
        for line in [_header(screen)] if wide else []:
            screen.line(line)
        for row in rows:
            screen.line(_line(row, screen, wide=wide))
    else:
        for line in _WELCOME:
            screen.line(line)
    return ExitCode.DONE


_WELCOME = (
    "fumehood: agents plan and run experiments; you approve every one with its price.",
    "There is no run yet.",
    "'fumehood demo' plays a study without any key; 'fumehood run \"question\"' asks your own.",
)


@click.command()
@click.argument("run", required=False)
@click.option("--scripts", is_flag=True, help="Show every script whole.")
def show(run: str | None, scripts: bool) -> ExitCode:
    """Show a run: plan, prices, what waits and how to decide it, findings."""
    folder = named_run(run)
    screen = Screen.of()
    state = folder.state()
    for line in Overview(folder, state, screen, scripts=scripts, flags=_flags(folder, state)).lines():
        screen.line(line)
    return ExitCode.DONE


def _flags(folder: RunFolder, state: RunState) -> tuple[Flag, ...]:
    """What looks wrong in what was recorded; left out where reading it all would take long."""
    if sum(script.records for script in state.execs.values()) > MOST_RECORDS:
        return ()
    from core.evidence.gather import gather

    with folder.journal() as journal:
        return gather(journal, state).ledger.flags


def _row(folder: RunFolder) -> Row:
    """One run; a journal that cannot be read must not hide the others."""
    try:
        state = folder.state()
    except RunError as error:
        return Row(folder, None, Status(UNREADABLE), str(error))
    return Row(folder, state, status_of(folder, state))


def _header(screen: Screen) -> str:
    question = "question".ljust(QUESTION_COLUMNS)
    verdicts = "verdicts".ljust(VERDICT_COLUMNS)
    return screen.paint(
        f"{'state':<{STATE_COLUMNS}} {question} {verdicts} {'cost':>8} {'age':>6}   run", dim=True
    )


def _line(row: Row, screen: Screen, *, wide: bool) -> str:
    """One run: a line of the table, or two where there is no room for that."""
    mark = screen.mark(row.status.mark, STATE_COLUMNS)
    if row.state is None or row.state.created is None:
        return f"{mark} {row.folder.run_id}: {one_line(row.trouble)}"
    state, created = row.state, row.state.created
    scripted = "  (scripted)" if created.settings.model.startswith("scripted:") else ""
    columns = QUESTION_COLUMNS if wide else screen.columns - STATE_COLUMNS - 1
    question = f"{one_line(created.question, columns - len(scripted))}{scripted}"
    cost = dollars(state.spent_usd) + ("+?" if state.unknown_costs else "")
    waits = f"  ◆ {len(state.waiting)}" if state.waiting else ""
    if not wide:
        told = f"{verdicts_in_short(state)}  {cost}  {age(created.at)}  {row.folder.run_id}{waits}"
        return f"{mark} {question}\n{'':{STATE_COLUMNS}} {told}"
    return (
        f"{mark} {question:<{QUESTION_COLUMNS}} {verdicts_in_short(state):<{VERDICT_COLUMNS}} {cost:>8}"
        f" {age(created.at):>6}   {row.folder.run_id}{waits}"
    )


def _as_json(row: Row) -> dict[str, object]:
    if row.state is None or row.state.created is None:
        return {"run": row.folder.run_id, "state": row.status.mark.word, "error": row.trouble}
    state, created = row.state, row.state.created
    verdicts = [x.verdict.outcome for x in state.experiments.values() if x.verdict]
    return {
        "run": row.folder.run_id,
        "state": row.status.mark.word,
        "resumable": row.status.resumable,
        "question": created.question,
        "model": created.settings.model,
        "created_at": created.at.isoformat(),
        "verdicts": {name: verdicts.count(name) for name in ("supported", "refuted", "inconclusive")},
        "waiting": [request.asked.request_id for request in state.waiting],
        "spent_usd": str(state.spent_usd),
        "unknown_costs": state.unknown_costs,
        "cap_usd": str(state.cap_usd),
        "folder": str(row.folder.path),
    }
