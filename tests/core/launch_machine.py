"""A run whose gate is stepped while everything else happens, as a state machine.

A real journal on disk is driven as the engine drives it, while humans on other connections decide,
edit, kill, pause and change the cap, prices change and the engine dies. After every single event an
independent account of the rules (``launch_rules``) looks at the raw journal.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from core.approval import next_event
from core.errors import Outrun
from core.experiment import Experiment
from core.pricing import Estimate
from core.record import events as e
from core.record.events import Event
from core.record.journal import Journal
from core.record.live import LiveRun
from core.record.state import ExperimentState
from tests.core.launch_rules import LaunchRules, Violation
from tests.fakes.specs import experiment, new_run

MEMORY = Path("/dev/shm")
"""Hundreds of journals are made here; where there is no such folder it only takes longer."""

LONGEST_QUIET = 200
"""Events that the gate may append before it has to wait for someone."""

money = st.sampled_from([Decimal(text) for text in ("0", "0.40", "1.00", "1.01", "2.50", "7")])
prices = st.none() | money
places = st.integers(0, 7)
early = st.integers(1, 3)
steps = st.sampled_from([0, 1, 2, LONGEST_QUIET, LONGEST_QUIET])
policies = st.sampled_from(["ask", "auto", "cpu", "under:1.00", "under:NaN", "everything"])
isolations = st.sampled_from(["namespaces", "namespaces", "process only"])


class Launches(RuleBasedStateMachine):
    """A run whose gate is stepped while everything else happens."""

    reproductions = 0
    """Reproductions of all examples in which there was something to launch."""

    relocks = 0
    """Locks of experiments whose launch was asked for again, of all examples together."""

    locks = 0
    """Locks of all examples together, to know that something was tested."""

    def __init__(self) -> None:
        super().__init__()
        self.parent = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.names = (f"n{number}" for number in count(1))
        self.prices: dict[str, Decimal | None] = {}
        self.rules_of_launching = LaunchRules()
        self.read_to = 0

    @initialize(
        policy=policies,
        cap=st.sampled_from([Decimal(0), Decimal(3), Decimal(8), Decimal(20)]),
        parallel=st.integers(1, 2),
        accept=st.booleans(),
        isolation=isolations,
        begins=st.sampled_from(["", "with a loss", "with a reproduction", "with a reproduction"]),
    )
    def begin(
        self, policy: str, cap: Decimal, parallel: int, accept: bool, isolation: str, begins: str
    ) -> None:
        self.folder = new_run(
            self.parent, approve=policy, budget_usd=cap, max_parallel=parallel, accept_process_only=accept
        )
        self.console = quick(self.folder.journal())
        self.live = LiveRun(self.folder, quick(self.folder.journal()))
        self.isolation = isolation
        self.live.record(
            e.EngineStarted(pid=1, host="h", isolation=isolation),
            e.AgentStarted(
                agent="orchestrator",
                model="m",
                scripted=True,
                system="",
                tools=(),
                prompt="",
                prompts_version="1",
            ),
        )
        self.check()
        if begins:
            self.begin_with_one_that_runs()
        if begins == "with a loss":
            self.close_a_sandbox(place=0, share="0.5", then="asked again", go=LONGEST_QUIET)
        elif begins:
            self.end_and_reproduce(sure=3, orderly=True, go=LONGEST_QUIET)

    def begin_with_one_that_runs(self) -> None:
        """Chance alone hardly comes as far as a run that has something to lose or to reproduce."""
        self.propose(gpu=False, price=Decimal("0.40"), go=LONGEST_QUIET)
        self.approve_all_that_waits(go=LONGEST_QUIET)
        self.approve_all_that_waits(go=LONGEST_QUIET)  # process only is asked about on its own

    def teardown(self) -> None:
        if hasattr(self, "live"):
            type(self).locks += self.rules_of_launching.locks
            type(self).relocks += self.rules_of_launching.relocks
            self.console.close()
            self.live.journal.close()
        shutil.rmtree(self.parent)

    # What the engine and its agents do.

    @rule(gpu=st.booleans(), price=prices, go=steps)
    def propose(self, gpu: bool, price: Decimal | None, go: int) -> None:
        number = len(self.live.state.experiments) + 1
        if number > 6:
            return
        self.prices[f"E{number}"] = price
        proposed = experiment(number, gpu="H100" if gpu else None)
        self.live.record(e.ExperimentProposed(experiment=proposed, call_id=next(self.names)))
        self.go_on(go)

    @rule(
        place=places,
        share=st.sampled_from(["0", "0.5", "1"]),
        then=st.sampled_from(["", "done", "asked again", "tried again"]),
        go=steps,
    )
    def close_a_sandbox(self, place: int, share: str, then: Any, go: int) -> None:
        """Its experiment goes on, is done, or has lost it and another one does not fit the approval."""
        running = self.live.state.in_stage("running")
        if not running:
            return
        chosen = running[place % len(running)]
        assert chosen.locked is not None
        held = None if chosen.locked.reserved_usd is None else chosen.held_usd
        cost = None if held is None else held * Decimal(share)
        self.live.record(
            e.SandboxOpened(experiment_id=chosen.id, sandbox_id="s", isolation="none", usd_per_hour=None),
            e.SandboxClosed(experiment_id=chosen.id, sandbox_id="s", seconds=1, cost_usd=cost),
            *([e.ExperimentEnded(experiment_id=chosen.id, outcome="done")] if then == "done" else []),
        )
        if then.endswith("again"):
            self.live.record(
                e.SandboxFailed(experiment_id=chosen.id, fault="ended", message="preempted", then=then)
            )
        self.go_on(go)

    @rule(price=money, go=steps)
    def ask_for_a_turn(self, price: Decimal, go: int) -> None:
        """Where one is under way already, an engine has died over it."""
        if price <= self.live.state.free_usd:
            self.live.record(
                e.AgentStarted(
                    agent="orchestrator",
                    model="m",
                    scripted=True,
                    system="s",
                    tools=(),
                    prompt="p",
                    prompts_version="1",
                ),
                e.TurnStarted(agent="orchestrator", number=1, reserved_usd=price, at_most_usd=price),
            )
            self.go_on(go)

    @rule(share=st.sampled_from(["0", "0.5", "1"]), complete=st.booleans(), go=steps)
    def get_a_turn(self, share: str, complete: bool, go: int) -> None:
        """A turn under way is complete, or dropped, and costs something."""
        agent = self.live.state.agents.get("orchestrator")
        if agent is None or agent.under_way is None:
            return
        cost = (agent.under_way.at_most_usd or Decimal(0)) * Decimal(share)
        if complete:
            number = len(agent.turns) + 1
            self.live.record(
                e.TurnFinished(
                    agent="orchestrator",
                    number=number,
                    raw={},
                    text="",
                    thoughts="",
                    calls=(),
                    cost_usd=cost,
                )
            )
        else:
            self.live.record(
                e.TurnRetried(agent="orchestrator", number=1, reason="cut", after_seconds=0, cost_usd=cost)
            )
        self.go_on(go)

    @rule(place=places, price=prices, go=steps)
    def change_a_price(self, place: int, price: Decimal | None, go: int) -> None:
        self.prices[f"E{place + 1}"] = price
        self.go_on(go)

    @rule(go=steps)
    def die_and_come_back(self, go: int) -> None:
        """The engine dies with what its gate was about to append, and another one takes over."""
        next_event(self.live.state, self.price)
        self.live.journal.close()
        self.live = LiveRun(self.folder, quick(self.folder.journal()))
        self.live.record(e.EngineStarted(pid=2, host="h", isolation=self.isolation))
        self.go_on(go)

    # What humans do, each from a process of its own.

    @rule(
        place=places,
        decision=st.sampled_from(["approve"] * 4 + ["reject", "answer"]),
        wrong=st.sampled_from(["", "", "", "subject", "price", "request"]),
        times=st.integers(1, 2),
        go=steps,
    )
    def decide(self, place: int, decision: Any, wrong: str, times: int, go: int) -> None:
        """Decide about the newest requests or about an old one, rightly or wrongly."""
        requests = list(self.live.state.requests.values())[::-1]
        if not requests:
            return
        asked = requests[place % len(requests)].asked
        shown = asked.estimate.maximum if asked.estimate else None
        for _ in range(times):
            self.say(
                e.ApprovalDecided(
                    by="human",
                    decision_id=next(self.names),
                    request_id="E1.99" if wrong == "request" else asked.request_id,
                    subject="0" * 64 if wrong == "subject" else asked.subject,
                    decision=decision,
                    maximum_usd=(shown or Decimal(0)) + 1 if wrong == "price" else shown,
                )
            )
        self.go_on(go)

    @rule(go=steps)
    def approve_all_that_waits(self, go: int) -> None:
        for request in list(self.live.state.waiting):
            shown = request.asked.estimate.maximum if request.asked.estimate else None
            self.say(
                e.ApprovalDecided(
                    by="human",
                    decision_id=next(self.names),
                    request_id=request.asked.request_id,
                    subject=request.asked.subject,
                    decision="approve",
                    maximum_usd=shown,
                )
            )
        self.go_on(go)

    @rule(place=places, price=prices, go=steps)
    def edit(self, place: int, price: Decimal | None, go: int) -> None:
        if experiments := list(self.live.state.experiments.values()):
            chosen = experiments[place % len(experiments)].spec
            self.prices[chosen.id] = price
            edited = chosen.model_copy(update={"title": next(self.names)})
            self.say(e.ExperimentEdited(edit_id=next(self.names), experiment=edited))
            self.go_on(go)

    @rule(number=early, overtaken=st.booleans(), go=steps)
    def kill(self, number: int, overtaken: bool, go: int) -> None:
        self.command(e.KillRequested(experiment_id=f"E{number}"), overtaken, go)

    @rule(pause=st.booleans(), overtaken=st.booleans(), go=steps)
    def pause_or_continue(self, pause: bool, overtaken: bool, go: int) -> None:
        self.command(e.LaunchingPaused() if pause else e.LaunchingContinued(), overtaken, go)

    @rule(cap=money, overtaken=st.booleans(), go=steps)
    def set_the_cap(self, cap: Decimal, overtaken: bool, go: int) -> None:
        self.command(e.BudgetSet(cap_usd=cap), overtaken, go)

    @rule(number=early, overtaken=st.booleans(), go=steps)
    def want_more_seeds(self, number: int, overtaken: bool, go: int) -> None:
        name = next(self.names)
        wish = e.SeedsRequested(request_id=name, experiment_id=f"E{number}", count=2)
        self.command(wish, overtaken, go)

    def command(self, command: Event, overtaken: bool, go: int) -> None:
        """A command of a human; at times just between the gate's decision and its append."""
        if overtaken and (chosen := next_event(self.live.state, self.price)):
            self.console.append(command)
            with pytest.raises(Outrun):
                self.live.record_if_unchanged(chosen)
        else:
            self.say(command)
        self.go_on(go)

    @rule(whole=st.sampled_from([False, False, False, True]), sure=st.integers(0, 5), go=steps)
    def end(self, whole: bool, sure: int, go: int) -> None:
        """Ask the engine to stop, or kill the run; seldom, because little happens afterwards."""
        if sure == 5:
            self.say(e.KillRequested() if whole else e.StopRequested())
            self.go_on(go)

    @rule(place=places, trial=st.booleans(), code=st.integers(0, 1), go=steps)
    def run_a_script(self, place: int, trial: bool, code: int, go: int) -> None:
        running = self.live.state.in_stage("running")
        if running:
            self.live.record(*script_of(running[place % len(running)], trial=trial, exit_code=code))
            self.go_on(go)

    @rule(sure=st.integers(0, 3), orderly=st.sampled_from([True, True, True, False]), go=steps)
    def end_and_reproduce(self, sure: int, orderly: bool, go: int) -> None:
        """The run ends, and a human wants it reproduced, which needs another engine."""
        if sure < 3:
            return
        for running in self.live.state.in_stage("running"):
            self.live.record(*script_of(running))
        still_open = [x.id for x in self.live.state.experiments.values() if x.open] if orderly else []
        self.live.record(
            *(e.ExperimentEnded(experiment_id=name, outcome="killed") for name in still_open),
            e.RunEnded(outcome="done"),
        )
        self.say(e.ReproductionRequested(request_id=next(self.names)))
        self.live.record(e.EngineStarted(pid=3, host="h", isolation=self.isolation))
        self.go_on(go)
        if self.live.state.reproduction is not None:
            type(self).reproductions += bool(self.live.state.waiting or self.live.state.in_stage("running"))

    # The gate.

    def price(self, asked_about: Experiment) -> Estimate:
        return Estimate(maximum=self.prices.get(asked_about.id, Decimal(1)))

    def say(self, event: Event) -> None:
        self.console.append(event)
        self.live.refresh()
        self.check()

    def go_on(self, limit: int) -> None:
        """Let the gate step as the engine does, at most so many times."""
        self.check()
        for _ in range(limit):
            event = next_event(self.live.state, self.price)
            if event is None:
                self.rules_of_launching.everything_that_waits_was_asked_for()
                return
            with contextlib.suppress(Outrun):
                self.live.record_if_unchanged(event)
            self.check()
        if limit == LONGEST_QUIET:
            raise Violation("the gate goes round in circles")

    def check(self) -> None:
        for event in self.console.read(self.read_to):
            self.read_to = event.seq
            self.rules_of_launching.take(event)


def script_of(experiment: ExperimentState, *, trial: bool = False, exit_code: int = 0) -> list[Event]:
    """An experiment's next script, from its beginning to its end."""
    name = f"{experiment.id}-{len(experiment.execs) + 1}"
    return [
        e.ExecRequested(
            exec_id=name, experiment_id=experiment.id, call_id=name, code="", code_sha256="", trial=trial
        ),
        e.ExecEnded(exec_id=name, end="finished", exit_code=exit_code, seconds=1),
    ]


def quick(journal: Journal) -> Journal:
    """The same journal without waiting for the disk: what dies here is the engine, not the machine."""
    journal._database.execute("PRAGMA synchronous=OFF")
    return journal
