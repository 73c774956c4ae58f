"""Telling a run event by event with a clock of its own, so that every telling gives the same journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.experiment import Arm, Compute, Differs, Equivalent, Experiment, Hypothesis, Metric, Verdict
from core.pricing import Estimate
from core.record import events as e
from core.record.folder import RunFolder
from core.record.journal import Journal
from core.record.records import Record, chain_start, read_record
from tests.fakes.specs import run_settings

BEGIN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""When every told run begins."""

RUN_ID = "20261123-bagging-help-every-7f3a"
QUESTION = "Does bagging help every learner, or only unstable ones?"
MODEL = "claude-opus-5"


class Story:
    """One run as it is told.

    Args:
        parent: the folder that gets ``runs/``.
        run_id: the run's id.
        question: what is investigated.
        settings: what differs from the usual settings of a told run.
    """

    def __init__(self, parent: Path, run_id: str = RUN_ID, question: str = QUESTION, **settings: Any) -> None:
        self.folder = RunFolder(parent / "runs" / run_id)
        for part in (self.folder.logs, self.folder.files, self.folder.paper):
            part.mkdir(mode=0o700, parents=True)
        self.at = BEGIN
        self._heads: dict[str, tuple[int, str]] = {}
        models = dict.fromkeys(("model", "researcher_model", "writer_model"), MODEL)
        usual = models | {"local_usd_per_hour": Decimal("3.60")}
        made = run_settings(**(usual | settings))
        self.settings = made
        self._untold: list[e.Event] = [
            e.RunCreated(at=self.at, run_id=run_id, question=question, settings=made, version="0.1.0")
        ]
        with Journal(self.folder.journal_path, create=True):
            self._keep()

    def tell(self, *events: e.Event, after: float = 1.0) -> None:
        """Append events, each so many seconds after the one before."""
        for event in events:
            self.at += timedelta(seconds=after)
            self._untold.append(event.model_copy(update={"at": self.at}))

    def told(self) -> RunFolder:
        """The run as it was told up to now."""
        self._keep()
        return self.folder

    def _keep(self, records: Sequence[Record] = ()) -> None:
        """Append what was told at once: an append waits for the disk."""
        with self.folder.journal() as journal:
            journal.append(*self._untold, records=records)
        self._untold.clear()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)

    def engine(self) -> None:
        """An engine drives the run."""
        self.tell(e.EngineStarted(pid=4711, host="lab", isolation="bubblewrap"))

    def agent(self, name: str) -> None:
        """An agent has its instructions."""
        self.tell(
            e.AgentStarted(
                agent=name,
                model=self.settings.model,
                scripted=self.settings.model.startswith("scripted:"),
                system="You do research.",
                tools=(),
                prompt=f"The question: {QUESTION}",
                prompts_version="1",
            )
        )

    def turn(
        self,
        agent: str,
        number: int,
        *,
        thoughts: str = "",
        text: str = "",
        calls: Mapping[str, tuple[str, dict[str, Any]]] | None = None,
        cost: str = "0.08",
        retried: str = "",
    ) -> None:
        """A complete turn.

        Args:
            agent: whose it is.
            number: its number.
            thoughts: what the agent thought.
            text: what it said.
            calls: tool and arguments by call id.
            cost: USD.
            retried: why the turn was asked for twice; empty where once was enough.
        """
        self.tell(e.TurnStarted(agent=agent, number=number))
        if retried:
            self.tell(e.TurnRetried(agent=agent, number=number, reason=retried, after_seconds=4.0))
        made = tuple(
            e.Call(id=name, name=tool, arguments=args) for name, (tool, args) in (calls or {}).items()
        )
        self.tell(
            e.TurnFinished(
                agent=agent,
                number=number,
                raw={},
                text=text,
                thoughts=thoughts,
                calls=made,
                input_tokens=9_400,
                output_tokens=1_350,
                cost_usd=Decimal(cost),
            ),
            after=12,
        )

    def answer(self, agent: str, call_id: str, text: str, *, error: bool = False) -> None:
        """A tool call has its result."""
        self.tell(e.ToolAnswered(agent=agent, call_id=call_id, text=text, error=error))

    def propose(self, spec: Experiment, maximum: str | None = "1.20", *, price: bool = True) -> None:
        """An experiment is proposed and, unless told otherwise, priced."""
        self.tell(e.ExperimentProposed(experiment=spec, call_id="c1"))
        if price:
            top = None if maximum is None else Decimal(maximum)
            low, high = (None, None) if top is None else (top / 4, top / 2)
            self.tell(
                e.ApprovalRequested(
                    request_id=f"{spec.id}.1",
                    kind="launch",
                    experiment_id=spec.id,
                    subject=spec.sha256,
                    title=spec.title,
                    estimate=Estimate(low=low, high=high, maximum=top),
                )
            )

    def launch(self, spec: Experiment, maximum: str | None = "1.20") -> None:
        """A proposed experiment is approved, locked, started, and has its sandbox."""
        top = None if maximum is None else Decimal(maximum)
        self.decide(f"{spec.id}.1", spec.sha256, "approve", maximum=top)
        self.tell(
            e.ExperimentLocked(
                experiment_id=spec.id,
                decision_id=f"d-{spec.id}.1",
                sha256=spec.sha256,
                hypothesis_sha256=spec.hypothesis.sha256 if spec.hypothesis else None,
                reserved_usd=top,
            ),
            e.ExperimentStarted(experiment_id=spec.id),
            e.SandboxRequested(experiment_id=spec.id, name=f"fumehood-{spec.id}", provider="local"),
            e.SandboxOpened(
                experiment_id=spec.id,
                sandbox_id=f"box-{spec.id}",
                isolation="bubblewrap",
                usd_per_hour=self.settings.local_usd_per_hour,
            ),
        )
        self.agent(spec.id)

    def decide(
        self, request_id: str, subject: str, decision: str, *, maximum: Decimal | None = None, note: str = ""
    ) -> None:
        """The human decides."""
        self.tell(
            e.ApprovalDecided.model_validate(
                {
                    "by": "human",
                    "decision_id": f"d-{request_id}",
                    "request_id": request_id,
                    "subject": subject,
                    "decision": decision,
                    "maximum_usd": maximum,
                    "note": note,
                }
            )
        )

    def script(
        self, experiment_id: str, number: int, code: str, *, purpose: str = "", trial: bool = False
    ) -> str:
        """A script is started; its exec id is returned."""
        exec_id = f"{experiment_id}-{number}"
        sha256 = hashlib.sha256(code.encode(errors="replace")).hexdigest()
        self._heads[exec_id] = (0, chain_start(exec_id, sha256))
        self.tell(
            e.ExecRequested(
                exec_id=exec_id,
                experiment_id=experiment_id,
                call_id=f"run-{number}",
                code=code,
                code_sha256=sha256,
                purpose=purpose,
                trial=trial,
            )
        )
        return exec_id

    def print(self, exec_id: str, *lines: str | bytes) -> None:
        """A script prints."""
        raw = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
        with self.folder.log_path(exec_id).open("ab") as log:
            log.write(raw)

    def record(self, exec_id: str, *bodies: Mapping[str, Any]) -> None:
        """A script records; each body is one line as ``lab`` writes it."""
        records: list[Record] = []
        number, chain = self._heads[exec_id]
        for body in bodies:
            number += 1
            raw = json.dumps({"line": 21, "condition": {}} | dict(body)).encode()
            record = read_record(raw, exec_id=exec_id, number=number, at=self.at, previous=chain)
            chain = record.chain
            records.append(record)
        self._heads[exec_id] = (number, chain)
        results = tuple((body["name"], body["value"]) for body in bodies if body["kind"] == "result")[-20:]
        taken = e.RecordsTaken(
            at=self.at, exec_id=exec_id, offset=number * 90, records=number, chain=chain, results=results
        )
        self._untold.append(taken)
        self._keep(records)

    def script_ends(
        self, exec_id: str, *, exit_code: int | None = 0, seconds: float = 64.0, end: str = "finished"
    ) -> None:
        """A script ends."""
        self.wait(seconds)
        self.tell(e.ExecEnded(exec_id=exec_id, end=end, exit_code=exit_code, seconds=seconds))

    def ends(
        self, experiment_id: str, outcome: str = "done", message: str = "", *, cost: str | None = "0.31"
    ) -> None:
        """An experiment ends; its sandbox is closed."""
        price = None if cost is None else Decimal(cost)
        self.tell(
            e.SandboxClosed(
                experiment_id=experiment_id, sandbox_id=f"box-{experiment_id}", seconds=310.0, cost_usd=price
            ),
            e.ExperimentEnded.model_validate(
                {"experiment_id": experiment_id, "outcome": outcome, "message": message}
            ),
        )

    def verdict(self, experiment_id: str, outcome: str, effect: float, low: float, high: float) -> None:
        """The measurements are judged."""
        self.tell(
            e.VerdictReached(
                experiment_id=experiment_id,
                verdict=Verdict.model_validate(
                    {
                        "outcome": outcome,
                        "reason": "the 98.33% interval of the paired differences lies wholly on one side",
                        "effect": effect,
                        "interval": (low, high),
                        "p": 0.002,
                        "alpha": 1 / 60,
                        "seeds": 10,
                        "visible_effect": 0.008,
                    }
                ),
            )
        )


def bagging(
    number: int, title: str, statement: str, *, round_: int = 1, base: str = "tree", **changes: Any
) -> Experiment:
    """An experiment that compares a bag of learners with a single one."""
    criterion = changes.pop("criterion", Differs(direction="less", min_effect=0.02))
    hypothesis = Hypothesis(
        statement=statement,
        metric=Metric(name="test_error", split="test", unit="fraction"),
        treatment=Arm(label=f"bagged {base}", where={"base": base, "arm": "bagged"}),
        baseline=Arm(label=f"single {base}", where={"base": base, "arm": "single"}),
        criterion=criterion,
    )
    usual: dict[str, Any] = {
        "id": f"E{number}",
        "round": round_,
        "alpha": 1 / 60,
        "title": title,
        "why": "A small change of the training set changes a tree; the average of many has less variance.",
        "plan": "For each seed hold out 30%, fit one learner and 50 on bootstrap samples.",
        "hypothesis": hypothesis,
        "compute": Compute(packages=("scikit-learn>=1.7",), timeout_seconds=1200, expected_seconds=400),
    }
    return Experiment(**(usual | changes))


TREES = bagging(
    1,
    "Bagged trees on digits",
    "Bagging 50 decision trees reduces the test error on digits by more than 2 points.",
)
NEIGHBOURS = bagging(
    2,
    "Bagged nearest neighbour on digits",
    "Bagging 50 1-nearest-neighbour classifiers changes the test error on digits by less than half a point.",
    base="knn",
    criterion=Equivalent(margin=0.005),
)
STUMPS = bagging(
    3, "Bagged stumps on digits", "Bagging stumps changes little: they are stable.", base="stump"
)
ROOM = bagging(
    4,
    "Does 1-NN gain where there is room?",
    "Bagging reduces the test error of 1-NN on breast cancer by more than 1 point.",
    round_=2,
    base="knn",
    criterion=Differs(direction="less", min_effect=0.01),
)
CANCER = bagging(
    5,
    "Bagged trees on breast cancer",
    "Bagging 50 trees reduces the test error on breast cancer by more than 1 point.",
    round_=2,
    criterion=Differs(direction="less", min_effect=0.01),
)
LABELS = bagging(
    6,
    "Noisy labels: does the gain grow?",
    "With a fifth of the labels flipped, bagging gains more than 5 points.",
    round_=2,
)
DEPTH = bagging(
    7, "How deep must a tree be?", "A depth of 3 is enough for bagging to gain.", round_=2, hypothesis=None
)
