"""At least one event of every type, and a hypothesis strategy that makes lists of events of all types."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from core.experiment import Verdict
from core.pricing import Estimate
from core.record import events as e
from core.record.events import Event
from core.record.works import Work
from tests.fakes.specs import experiment, run_settings

_NAMES = ("E1", "E2", "E9", "orchestrator", "writer")
_EXECS = ("E1-1", "E1-2", "E9-1")
_REQUESTS = ("E1.1", "E1.2", "E2.1", "isolation", "question:E1:c1", "E9.1")
_CALLS = ("c1", "c2")
_SPECS = (experiment(1), experiment(2), experiment(1, title="Edited"), experiment(2, gpu="H100"))
_SUBJECTS = (*(spec.sha256 for spec in _SPECS), "0" * 64)
_MONEY = (Decimal(0), Decimal("0.50"), Decimal(3))

names = st.sampled_from(_NAMES)
experiment_ids = st.sampled_from(("E1", "E2", "E9"))
execs = st.sampled_from(_EXECS)
requests = st.sampled_from(_REQUESTS)
calls = st.sampled_from(_CALLS)
specs = st.sampled_from(_SPECS)
subjects = st.sampled_from(_SUBJECTS)
money = st.sampled_from(_MONEY)
work_keys = st.sampled_from(("breiman1996bagging", "belkin2019reconciling"))
works = st.builds(
    Work, title=st.text(max_size=5), year=st.none() | st.just(1996), doi=st.just("10.1007/bf00058655")
)
unknown_or_money = st.none() | money
numbers = st.integers(0, 4)
unique = st.uuids().map(str)
estimates = st.none() | unknown_or_money.map(lambda maximum: Estimate(maximum=maximum))

BY_TYPE: dict[type[Event], st.SearchStrategy[Event]] = {
    e.RunCreated: st.builds(
        e.RunCreated,
        run_id=st.just("r"),
        question=st.just("?"),
        settings=st.builds(run_settings, max_parallel=st.integers(1, 3)),
        version=st.just("0"),
    ),
    e.EngineStarted: st.builds(
        e.EngineStarted,
        pid=numbers,
        host=st.just("h"),
        isolation=st.sampled_from(("namespaces", "process only")),
    ),
    e.EngineStopped: st.builds(
        e.EngineStopped, reason=st.sampled_from(("finished", "asked", "paused", "failed"))
    ),
    e.StopRequested: st.builds(e.StopRequested, close_sandboxes=st.booleans()),
    e.KillRequested: st.builds(e.KillRequested, experiment_id=st.none() | experiment_ids),
    e.PricesTaken: st.builds(
        e.PricesTaken, gpus=st.just({"T4": Decimal("0.59")}), cpu=money, memory=money, source=st.just("s")
    ),
    e.LaunchingPaused: st.builds(e.LaunchingPaused),
    e.LaunchingContinued: st.builds(e.LaunchingContinued),
    e.BudgetSet: st.builds(e.BudgetSet, cap_usd=money),
    e.MessageSent: st.builds(e.MessageSent, message_id=unique, agent=names, text=st.text(max_size=5)),
    e.SeedsRequested: st.builds(
        e.SeedsRequested, request_id=unique, experiment_id=experiment_ids, count=st.integers(2, 5)
    ),
    e.DataAdded: st.builds(
        e.DataAdded, name=st.sampled_from(("a.csv", "b.csv")), sha256=subjects, size_bytes=numbers
    ),
    e.ReproductionRequested: st.builds(e.ReproductionRequested, request_id=unique),
    e.RunRenamed: st.builds(e.RunRenamed, title=st.text(max_size=5)),
    e.RunEnded: st.builds(e.RunEnded, outcome=st.sampled_from(("done", "killed", "failed"))),
    e.AgentStarted: st.builds(
        e.AgentStarted,
        agent=names,
        model=st.just("m"),
        scripted=st.booleans(),
        system=st.just("s"),
        tools=st.just(({"name": "t", "schema": {"type": "object"}},)),
        prompt=st.just("p"),
        prompts_version=st.just("1"),
    ),
    e.TurnStarted: st.builds(
        e.TurnStarted,
        agent=names,
        number=numbers,
        message_ids=st.lists(unique, max_size=2).map(tuple),
        reserved_usd=money,
        at_most_usd=unknown_or_money,
    ),
    e.TurnFailed: st.builds(
        e.TurnFailed,
        agent=names,
        number=numbers,
        reason=st.just("bad key"),
        cost_usd=unknown_or_money,
        pauses=st.booleans(),
    ),
    e.TurnRetried: st.builds(
        e.TurnRetried,
        agent=names,
        number=numbers,
        reason=st.just("busy"),
        after_seconds=st.floats(allow_nan=False),
        cost_usd=unknown_or_money,
    ),
    e.TurnFinished: st.builds(
        e.TurnFinished,
        agent=names,
        number=numbers,
        raw=st.dictionaries(
            st.text(max_size=3),
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
            max_size=3,
        ),
        text=st.text(max_size=5),
        thoughts=st.just(""),
        calls=st.lists(
            st.builds(e.Call, id=calls, name=st.just("t"), arguments=st.just({"x": [1, None]})), max_size=2
        ).map(tuple),
        input_tokens=numbers,
        output_tokens=numbers,
        cost_usd=unknown_or_money,
    ),
    e.ToolAnswered: st.builds(
        e.ToolAnswered, agent=names, call_id=calls, text=st.just("t"), error=st.booleans(), ends=st.booleans()
    ),
    e.ResultsTold: st.builds(
        e.ResultsTold, call_id=calls, experiment_ids=st.lists(experiment_ids, max_size=2).map(tuple)
    ),
    e.AgentEnded: st.builds(
        e.AgentEnded, agent=names, outcome=st.sampled_from(("done", "gave up", "killed", "failed"))
    ),
    e.ExperimentProposed: st.builds(e.ExperimentProposed, experiment=specs, call_id=calls),
    e.ExperimentEdited: st.builds(e.ExperimentEdited, edit_id=unique, experiment=specs),
    e.ApprovalRequested: st.builds(
        e.ApprovalRequested,
        request_id=requests,
        kind=st.sampled_from(("launch", "script", "question", "isolation")),
        experiment_id=st.none() | experiment_ids,
        subject=subjects,
        title=st.just("t"),
        estimate=estimates,
    ),
    e.ApprovalDecided: st.builds(
        e.ApprovalDecided,
        by=st.sampled_from(("human", "policy")),
        decision_id=unique,
        request_id=requests,
        subject=subjects,
        decision=st.sampled_from(("approve", "reject", "answer")),
        maximum_usd=unknown_or_money,
    ),
    e.ExperimentLocked: st.builds(
        e.ExperimentLocked,
        experiment_id=experiment_ids,
        decision_id=unique,
        sha256=subjects,
        hypothesis_sha256=st.none() | subjects,
        reserved_usd=unknown_or_money,
    ),
    e.ExperimentStarted: st.builds(e.ExperimentStarted, experiment_id=experiment_ids),
    e.SandboxRequested: st.builds(
        e.SandboxRequested, experiment_id=experiment_ids, name=st.just("n"), provider=st.just("local")
    ),
    e.SandboxProgressed: st.builds(
        e.SandboxProgressed, experiment_id=experiment_ids, line=st.text(max_size=3)
    ),
    e.SandboxOpened: st.builds(
        e.SandboxOpened,
        experiment_id=experiment_ids,
        sandbox_id=st.just("s"),
        isolation=st.just("namespaces"),
        usd_per_hour=unknown_or_money,
    ),
    e.SandboxClosed: st.builds(
        e.SandboxClosed,
        experiment_id=experiment_ids,
        sandbox_id=st.just("s"),
        seconds=st.floats(0, 100),
        cost_usd=unknown_or_money,
    ),
    e.SandboxFailed: st.builds(
        e.SandboxFailed,
        experiment_id=experiment_ids,
        fault=st.sampled_from(("ended", "silent")),
        message=st.just("it was preempted"),
        then=st.sampled_from(("tried again", "asked again", "ended", "closed again")),
        after_seconds=st.floats(0, 100),
    ),
    e.SandboxReaped: st.builds(
        e.SandboxReaped,
        sandbox_id=st.just("s"),
        name=st.just("n"),
        experiment_id=st.none() | experiment_ids,
        reason=st.just("nobody needs it"),
    ),
    e.SandboxBilled: st.builds(
        e.SandboxBilled, sandbox_id=st.just("s"), experiment_id=st.none() | experiment_ids, cost_usd=money
    ),
    e.ExecRequested: st.builds(
        e.ExecRequested,
        exec_id=execs,
        experiment_id=experiment_ids,
        call_id=calls,
        code=st.just("pass"),
        code_sha256=st.just("0" * 64),
    ),
    e.ExecEnded: st.builds(
        e.ExecEnded,
        exec_id=execs,
        end=st.just("finished"),
        exit_code=st.none() | numbers,
        seconds=st.just(1.0),
    ),
    e.RecordsTaken: st.builds(
        e.RecordsTaken,
        exec_id=execs,
        offset=numbers,
        records=numbers,
        chain=st.just("c"),
        results=st.lists(
            st.tuples(st.text(max_size=3), st.floats(allow_nan=False) | st.text(max_size=3)), max_size=2
        ).map(tuple),
    ),
    e.FindingRecorded: st.builds(
        e.FindingRecorded, experiment_id=experiment_ids, call_id=calls, text=st.text(max_size=5)
    ),
    e.ExperimentEnded: st.builds(
        e.ExperimentEnded,
        experiment_id=experiment_ids,
        outcome=st.sampled_from(("done", "killed", "rejected", "failed")),
    ),
    e.VerdictReached: st.builds(
        e.VerdictReached,
        experiment_id=experiment_ids,
        verdict=st.builds(
            Verdict,
            outcome=st.sampled_from(("supported", "refuted", "inconclusive")),
            reason=st.just("r"),
            interval=st.none() | st.just((float("-inf"), 0.5)),
        ),
    ),
    e.PaperRefused: st.builds(e.PaperRefused, call_id=calls, problems=st.just(("a number",))),
    e.PaperPublished: st.builds(
        e.PaperPublished, path=st.just("paper/paper.md"), sha256=subjects, numbers=numbers, struck=numbers
    ),
    e.LiteratureSearched: st.builds(
        e.LiteratureSearched,
        agent=names,
        call_id=calls,
        query=st.text(max_size=5),
        works=st.dictionaries(work_keys, works, max_size=2),
        answered=st.sampled_from(((), ("OpenAlex",))),
        troubles=st.sampled_from(((), ("arXiv did not answer",))),
    ),
    e.CitationVerified: st.builds(
        e.CitationVerified,
        key=work_keys,
        work=works,
        passage=st.text(max_size=5),
        resolved_by=st.just("Crossref"),
    ),
}
"""How to make events, by class."""

any_event: st.SearchStrategy[Event] = st.one_of(*BY_TYPE.values())
"""Any event; its ids may name what is there, what is not, and what came before it should."""


@st.composite
def likely_journals(draw: st.DrawFn) -> list[Event]:
    """Events of a run that begins properly, so that many of what follows find what they are about."""
    begin: list[Event] = [
        draw(BY_TYPE[e.RunCreated]),
        draw(BY_TYPE[e.EngineStarted]),
        *(e.ExperimentProposed(experiment=spec, call_id="c1") for spec in _SPECS[:2]),
    ]
    return begin + draw(st.lists(any_event, min_size=5, max_size=30))
