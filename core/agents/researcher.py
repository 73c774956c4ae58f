"""A researcher: one per experiment. It writes and runs the scripts that measure."""

from __future__ import annotations

from core.agents.agent import Agent
from core.agents.fence import fenced
from core.agents.human import ask_human, script_approved
from core.agents.log_reading import head_and_tail, read_log
from core.agents.prompts import RESEARCHER, VERSION, researcher_prompt
from core.agents.scripts import run_script
from core.agents.tools import RecordFinding, Reply, RunPython, SubmitResult, Tool, Toolbox
from core.approval import script_needs_a_yes, subject_of
from core.budget import allowance, seconds_left
from core.errors import ToolError
from core.models.base import Model
from core.pricing import dollars
from core.record.events import ExecEnded, ExecRequested, FindingRecorded
from core.record.live import LiveRun
from core.record.state import Exec, ExperimentState
from core.repeats import repeat_call
from core.sandbox.base import Sandbox


def researcher(live: LiveRun, model: Model, experiment_id: str, sandbox: Sandbox) -> Agent:
    """The researcher of one experiment.

    Args:
        live: the run.
        model: its model.
        experiment_id: the experiment; it must be locked.
        sandbox: its open sandbox.
    """
    tools = _Tools(live, experiment_id, sandbox)
    state = live.state
    assert state.created is not None
    return Agent(
        name=experiment_id,
        model=model,
        system=RESEARCHER,
        prompt=researcher_prompt(
            state.experiments[experiment_id],
            state.created.question,
            state.settings.sandbox,
            tuple(state.data.values()),
        ),
        prompts_version=VERSION,
        toolbox=Toolbox(
            Tool("run_python", RunPython, tools.run_python),
            read_log(live, experiment_id),
            Tool("record_finding", RecordFinding, tools.record_finding),
            ask_human(live, experiment_id),
            Tool("submit_result", SubmitResult, tools.submit_result),
        ),
        max_turns=state.settings.max_turns,
    )


async def repeat_scripts(live: LiveRun, experiment_id: str, sandbox: Sandbox) -> None:
    """Run the scripts of the experiment that this one repeats again, in order and without a model.

    With other seeds only scripts that counted there are repeated: those that ended cleanly and were no
    trials. A reproduction runs every script again that ended by itself, because one may need what another
    left behind. A script that the human does not allow is left out.

    Raises:
        SandboxLost: the sandbox is gone.
    """
    spec = live.state.experiments[experiment_id].spec
    assert spec.repeats is not None
    for name in tuple(live.state.experiments[spec.repeats].execs):
        script = live.state.execs[name]
        if not (script.by_itself if spec.reproduces else script.counts):
            continue
        asked, call_id = script.asked, repeat_call(experiment_id, name)
        purpose = asked.purpose if asked.purpose.startswith("again: ") else f"again: {asked.purpose}"
        request = _request(live, experiment_id, call_id, asked.code, purpose, asked.trial)
        if await _allowed(live, request):
            await run_script(live, sandbox, request)


async def _allowed(live: LiveRun, request: ExecRequested) -> bool:
    """Whether a repeated script may run; a human who allowed exactly this script is not asked again."""
    if request.exec_id in live.state.execs or not script_needs_a_yes(live.state):
        return True
    if any(
        known.asked.kind == "script"
        and known.asked.subject == request.code_sha256
        and known.decision is not None
        and known.decision.decision == "approve"
        for known in live.state.requests.values()
    ):
        return True
    try:
        await script_approved(live, request.experiment_id, request.call_id, request.code, request.purpose)
    except ToolError:
        return False
    return True


class _Tools:
    """What a researcher can do. Each effect is found again by the id of its call."""

    def __init__(self, live: LiveRun, experiment_id: str, sandbox: Sandbox) -> None:
        self.live = live
        self.experiment_id = experiment_id
        self.sandbox = sandbox

    async def run_python(self, arguments: RunPython, call_id: str) -> Reply:
        """Run a script to its end."""
        request = _request(
            self.live, self.experiment_id, call_id, arguments.code, arguments.purpose, arguments.trial
        )
        if request.exec_id not in self.live.state.execs and script_needs_a_yes(self.live.state):
            await script_approved(self.live, self.experiment_id, call_id, arguments.code, arguments.purpose)
        ended = await run_script(self.live, self.sandbox, request)
        return Reply(self._account(ended))

    async def record_finding(self, arguments: RecordFinding, call_id: str) -> Reply:
        """Tell the human one thing."""
        self.live.record(
            FindingRecorded(experiment_id=self.experiment_id, call_id=call_id, text=arguments.text)
        )
        return Reply("The human sees it.")

    async def submit_result(self, arguments: SubmitResult, call_id: str) -> Reply:
        """End the experiment."""
        return Reply("The experiment has ended; its verdict is computed from what was recorded.", ends=True)

    def _account(self, ended: ExecEnded) -> str:
        """How a script ended, what it measured and what it printed, for the model."""
        script = self.live.state.execs[ended.exec_id]
        output = head_and_tail(self.live.folder.log_path(ended.exec_id))
        said = f"{_measured(script)}\nIt printed:\n{output}"
        return (
            f"{exec_line(script)}\n{fenced(said)}\n{_left(self.live.state.experiments[self.experiment_id])}"
        )


def exec_line(script: Exec) -> str:
    """One line on how an exec ended, e.g. ``E1-2 ended with exit code 0 after 3.1 s``."""
    ended = script.ended
    trial = " (a trial: nothing in it counts)" if script.asked.trial else ""
    if ended is None:
        return f"{script.asked.exec_id} is running{trial}"
    if ended.end == "finished":
        return f"{ended.exec_id} ended with exit code {ended.exit_code} after {ended.seconds:.1f} s{trial}"
    return f"{ended.exec_id} was ended ({_END_IN_WORDS[ended.end]}) after {ended.seconds:.1f} s{trial}"


_END_IN_WORDS = {
    "time": "the experiment's time limit; what it measured does not count",
    "cpu": "it used more processor time than it may",
    "memory": "it used more memory than it may",
    "processes": "it started more processes than it may",
    "disk": "it wrote more to the disk than it may",
    "output": "it printed more than it may",
    "killed": "it was killed",
    "lease": "no engine was there for too long",
    "lost": "the machine stopped or it was killed from outside; run it again",
}


def _measured(script: Exec) -> str:
    if not script.records:
        return "It recorded nothing through lab."
    latest = ", ".join(f"{name}={value}" for name, value in script.results)
    return f"It wrote {script.records} records through lab" + (
        f"; latest results: {latest}." if latest else "."
    )


def _left(experiment: ExperimentState) -> str:
    """What of time and money the researcher still has."""
    seconds = f"{max(0.0, seconds_left(experiment)):.0f} s of sandbox time are left"
    money = allowance(experiment)
    return (
        f"{seconds}, and {dollars(money)} for your turns." if experiment.reserved and money else f"{seconds}."
    )


def _request(
    live: LiveRun, experiment_id: str, call_id: str, code: str, purpose: str, trial: bool
) -> ExecRequested:
    """The exec of a call: the one that it asked for before, or the experiment's next."""
    execs = live.state.experiments[experiment_id].execs
    for name in execs:
        script = live.state.execs[name]
        if script.asked.call_id == call_id and not script.void:
            return script.asked
    return ExecRequested(
        exec_id=f"{experiment_id}-{len(execs) + 1}",
        experiment_id=experiment_id,
        call_id=call_id,
        code=code,
        code_sha256=subject_of(code),
        purpose=purpose,
        trial=trial,
    )
