"""The spend meter: what is spent, what is reserved, and how much of the cap that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from textual.content import Content

from core.pricing import at_most_dollars, dollars
from core.record.state import RunState
from tui.run_feed import cost_so_far
from tui.widgets.lines import tokens

EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Spend:
    """Money of a run at one moment, USD.

    Attributes:
        spent: what is booked, and what open sandboxes have cost beyond that.
        reserved: what is kept of the cap beyond what is spent.
        cap: the hard cap.
        per_hour: what open sandboxes cost an hour; None where a price is unknown.
        unknown: whether something that was spent has no known price.
        unsettled: what turns that were cut off may have been billed beyond that, at most.
    """

    spent: Decimal
    reserved: Decimal
    cap: Decimal
    per_hour: Decimal | None
    unknown: bool
    unsettled: Decimal = Decimal(0)

    @classmethod
    def of(cls, state: RunState, at: datetime) -> Spend:
        """The money of a run.

        Args:
            state: the run.
            at: the moment, UTC.
        """
        running, burning, unknown = Decimal(0), Decimal(0), state.unknown_costs > 0
        for experiment in state.experiments.values():
            if experiment.sandbox is None:
                continue
            so_far, booked = cost_so_far(experiment, at), experiment.cost_usd
            if so_far is None or booked is None or experiment.sandbox.usd_per_hour is None:
                unknown = True
                continue
            running += so_far - booked
            burning += experiment.sandbox.usd_per_hour
        open_unknown = any(
            experiment.sandbox is not None and experiment.sandbox.usd_per_hour is None
            for experiment in state.experiments.values()
        )
        return cls(
            spent=state.spent_usd + running,
            reserved=max(state.reserved_usd - running, Decimal(0)),
            cap=state.cap_usd,
            per_hour=None if open_unknown else burning,
            unknown=unknown,
            unsettled=state.unsettled_usd,
        )


def spent_in_words(spend: Spend) -> str:
    """What is spent: ``$3.18``; ``+ ?`` where something has no known price, ``+≤`` what was cut off."""
    unknown = " + ?" if spend.unknown else ""
    unsettled = f" +{at_most_dollars(spend.unsettled).replace(' ', '')}" if spend.unsettled else ""
    return f"{dollars(spend.spent)}{unsettled}{unknown}"


def bar(spend: Spend, width: int) -> Content:
    """Spent and reserved as shares of the cap.

    Args:
        spend: the money.
        width: columns between the ends.
    """
    if spend.cap <= 0:
        return Content.styled(f"▕{' ' * width}▏", "$line")
    cells = Decimal(width) / spend.cap
    eighths = min(int(spend.spent * cells * 8), width * 8)
    if spend.spent > 0:
        eighths = max(eighths, 1)  # what is spent is never shown as nothing
    full, rest = divmod(eighths, 8)
    spent = EIGHTHS[8] * full + (EIGHTHS[rest] if rest else "")
    held = min(int((spend.spent + spend.unsettled + spend.reserved) * cells + Decimal("0.5")), width)
    reserved = "░" * max(0, held - len(spent))
    colour = "$failed" if spend.spent * 10 >= spend.cap * 9 else "$accent"
    return Content.assemble(
        ("▕", "$line"),
        (spent, colour),
        (reserved, "$muted"),
        " " * max(0, width - len(spent) - len(reserved)),
        ("▏", "$line"),
    )


def meter(spend: Spend, state: RunState, width: int) -> Content:
    """The spend meter on one line; what has no room is left out from the right.

    Args:
        spend: the money.
        state: the run, for its tokens.
        width: columns of the line.
    """
    line = Content.assemble(
        ("spent ", "$muted"), (spent_in_words(spend), "bold"), " ", bar(spend, 20), " ", dollars(spend.cap),
        (" cap", "$muted"),
    )  # fmt: skip
    over = state.ended is not None
    for part in (
        Content.assemble(("reserved ", "$muted"), dollars(spend.reserved)),
        Content.assemble(("burning ", "$muted"), f"{dollars(spend.per_hour)}/h"),
        Content.assemble(
            ("tokens ", "$muted"), tokens(state.input_tokens), (" in · ", "$muted"),
            tokens(state.output_tokens), (" out", "$muted"),
        ),
    ):  # fmt: skip
        if over and not part.plain.startswith("tokens"):
            continue
        if line.cell_length + 3 + part.cell_length > width:
            break
        line = Content.assemble(line, "   ", part)
    return line


def short_meter(spend: Spend, width: int) -> Content:
    """The same for narrow screens: ``$3.18 of $10.00 (+4.10 held)  $7.90/h``."""
    line = Content.assemble((spent_in_words(spend), "bold"), (" of ", "$muted"), dollars(spend.cap))
    if spend.reserved:
        line = line.append(Content.styled(f" (+{dollars(spend.reserved).removeprefix('$')} held)", "$muted"))
    if spend.per_hour is None or spend.per_hour:
        burning = Content.assemble("  ", f"{dollars(spend.per_hour)}/h")
        if line.cell_length + burning.cell_length <= width:
            line = line.append(burning)
    return line
