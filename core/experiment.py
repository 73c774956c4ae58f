"""What an experiment is: a hypothesis fixed before anything runs, and the machine it may use.

Everything here is frozen. An approval names the hash of exactly one of these specifications, so a
changed field is another specification and needs another approval.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Annotated, Any, Literal, Self, TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.field_docs import describe_fields

MAX_TITLE_CHARACTERS = 120

Factor: TypeAlias = str | int | float | bool
"""One level of a factor, e.g. ``"bagged"`` for the factor ``arm``."""


class Frozen(BaseModel):
    """A specification: immutable, and nothing in it that was not asked for."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_inf_nan="constants",
        defer_build=True,
        json_schema_extra=describe_fields,
    )


class Metric(Frozen):
    """The number that decides."""

    name: str = Field(min_length=1, max_length=80)
    """The name that the experiment's code passes to ``lab.result``, e.g. ``test_error``."""
    split: Literal["train", "val", "test", "cv", ""] = "test"
    """The data split that it is measured on."""
    unit: str = Field(default="", max_length=24)
    """Its unit, e.g. ``fraction`` or ``s``."""


class Arm(Frozen):
    """One side of a comparison: the factor levels that pick its measurements."""

    label: str = Field(min_length=1, max_length=80)
    """What people call this arm."""
    where: dict[str, Factor] = Field(min_length=1)
    """Factor levels as passed to ``lab.condition``, without the seed."""

    @field_validator("where")
    @classmethod
    def _no_seed(cls, where: dict[str, Factor]) -> dict[str, Factor]:
        if "seed" in where:
            raise ValueError("an arm cannot fix the seed: name the planned seeds in 'seeds'")
        return where


class _Rule(Frozen):
    """A criterion; ``kind`` tells them apart, so models must always name it."""

    model_config = ConfigDict(json_schema_extra=lambda schema, model: _require_kind(schema, model))


def _require_kind(schema: dict[str, Any], model: type[BaseModel]) -> None:
    describe_fields(schema, model)
    schema["required"] = sorted({"kind", *schema.get("required", ())})


class Differs(_Rule):
    """Treatment minus baseline goes the stated way by more than ``min_effect``."""

    kind: Literal["differs"] = "differs"
    direction: Literal["greater", "less"]
    """Which way treatment minus baseline goes."""
    min_effect: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """The smallest effect worth having, in the metric's unit; 0 for any."""


class Equivalent(_Rule):
    """Treatment and baseline differ by less than ``margin``: the honest form of "no effect"."""

    kind: Literal["equivalent"] = "equivalent"
    margin: float = Field(gt=0, allow_inf_nan=False)
    """The largest difference that still counts as none, in the metric's unit."""


class InRange(_Rule):
    """The treatment's mean lies between ``low`` and ``high``."""

    kind: Literal["in_range"] = "in_range"
    low: float | None = Field(default=None, allow_inf_nan=False)
    """Lower limit in the metric's unit; None for no limit."""
    high: float | None = Field(default=None, allow_inf_nan=False)
    """Upper limit in the metric's unit; None for no limit."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("a range needs a lower limit, an upper limit or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("the lower limit must be below the upper limit")
        return self


Criterion: TypeAlias = Annotated[Differs | Equivalent | InRange, Field(discriminator="kind")]


class Hypothesis(Frozen):
    """One statement, and the mechanical rule by which measurements decide it."""

    statement: str = Field(min_length=1, max_length=600)
    """The sentence that the human approves."""
    metric: Metric
    """What is measured."""
    treatment: Arm
    """The arm that the statement is about."""
    baseline: Arm | None = None
    """What it is compared with; required unless the criterion is a range."""
    criterion: Criterion
    """When the statement counts as supported."""
    seeds: tuple[int, ...] = Field(default=tuple(range(10)), min_length=2, max_length=1000)
    """Exactly the seeds that count: none may be missing, others are not used."""
    paired: bool = True
    """True where the same seed means the same split in both arms."""
    replicates: Literal["independent", "resplit"] = "independent"
    """``resplit`` where seeds re-split one data set, so that runs are correlated."""
    test_fraction: float = Field(default=0.0, ge=0, lt=1)
    """For ``resplit``: the share of the data that is held out."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.criterion.kind != "in_range" and self.baseline is None:
            raise ValueError("a comparison needs a baseline arm")
        if self.criterion.kind == "in_range" and self.baseline is not None:
            raise ValueError("a range is about one arm: leave the baseline out")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed is named twice")
        if self.baseline is not None and self.baseline.where == self.treatment.where:
            raise ValueError("treatment and baseline are the same arm")
        if self.replicates == "resplit" and self.test_fraction == 0:
            raise ValueError("seeds that re-split one data set need the test_fraction held out")
        return self

    @property
    def sha256(self) -> str:
        """The hash that is locked before the first script runs."""
        return digest(self)


class Compute(Frozen):
    """The machine that an experiment may use, and for how long."""

    gpu: str | None = Field(default=None, max_length=24)
    """GPU name, e.g. ``H100``, or ``any`` for the cheapest with room; None for CPU only."""
    timeout_seconds: int = Field(default=1800, ge=1, le=86_400)
    """Hard limit on the life of the sandbox, in seconds."""
    expected_seconds: int | None = Field(default=None, ge=1, le=86_400)
    """How long its proposer expects it to take, in seconds; None where nobody knows."""
    cpus: int = Field(default=1, ge=1, le=64)
    """Processor cores."""
    memory_gib: float = Field(default=4.0, gt=0, le=1024)
    """Memory of everything that runs in the sandbox together, in GiB."""
    disk_gib: float = Field(default=2.0, gt=0, le=1024)
    """Space that the sandbox may fill, in GiB."""
    processes: int = Field(default=64, ge=1, le=4096)
    """Processes and threads at once."""
    packages: tuple[str, ...] = Field(default=(), max_length=64)
    """Requirements as pip writes them, e.g. ``scikit-learn>=1.7``; none for what sandboxes have anyway."""
    network: Literal["blocked", "allowed", "open"] = "blocked"
    """Whether scripts can reach the network: nothing of it, only what ``domains`` names, or all of it."""
    # Left out where it is empty: specifications without it keep the hash that was approved.
    domains: tuple[str, ...] = Field(default=(), max_length=32, exclude_if=lambda domains: not domains)
    """For the network ``allowed``: what can be reached, e.g. ``example.org`` or ``*.example.org``."""

    @field_validator("packages")
    @classmethod
    def _requirements(cls, packages: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({plain_requirement(package) for package in packages}))

    @field_validator("domains")
    @classmethod
    def _plain_domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({plain_domain(domain) for domain in domains}))

    @model_validator(mode="after")
    def _agreed(self) -> Self:
        if self.network == "allowed" and not self.domains:
            raise ValueError("the network 'allowed' needs 'domains', such as example.org")
        if self.domains and self.network != "allowed":
            raise ValueError(f"'domains' count with the network 'allowed' only, and it is {self.network!r}")
        return self

    @property
    def network_in_words(self) -> str:
        """What of the network scripts can reach, for people."""
        return f"only {', '.join(self.domains)}" if self.network == "allowed" else self.network


class Proposal(Frozen):
    """An experiment as it is proposed, before it has a number and a price."""

    title: str = Field(min_length=1, max_length=MAX_TITLE_CHARACTERS)
    """A few words for the plan."""
    why: str = Field(default="", max_length=2000)
    """Why it is worth its price: a mechanism, an earlier result or a citation."""
    plan: str = Field(min_length=1, max_length=20_000)
    """What the researcher shall do."""
    hypothesis: Hypothesis | None = None
    """What is tested; None for an exploration, which yields measurements but no verdict."""
    compute: Compute = Compute()
    """The machine that it may use."""


class Experiment(Proposal):
    """A proposal that has its place in the plan."""

    id: str = Field(pattern=r"^E[1-9]\d*$")
    """``E1``, ``E2``, … in the order of proposal."""
    round: int = Field(ge=1)
    """The round that it was proposed in."""
    alpha: float = Field(gt=0, lt=1)
    """Its share of the run's error budget; the interval that decides covers ``1 - alpha``."""
    repeats: str | None = None
    """The experiment whose scripts it runs again, without a model: with other seeds, or without a
    hypothesis and with the same seeds, to see whether they give the same."""

    @property
    def reproduces(self) -> str | None:
        """The experiment whose measurements it shall give again; None for any other experiment."""
        return self.repeats if self.hypothesis is None else None

    @property
    def sha256(self) -> str:
        """What an approval names."""
        return digest(self)


class Verdict(Frozen):
    """What the measurements say about a hypothesis: computed, never written by a model."""

    outcome: Literal["supported", "refuted", "inconclusive"]
    """Whether the interval lies wholly inside the criterion, wholly outside, or neither."""
    reason: str
    """The rule as it was applied, in words."""
    effect: float | None = None
    """Treatment minus baseline (or the treatment's mean for a range), in the metric's unit."""
    interval: tuple[float, float] | None = None
    """Confidence interval of the effect at ``1 - alpha``, in the metric's unit."""
    p: float | None = None
    """Probability of an effect at least this large if there were none; unadjusted."""
    alpha: float | None = None
    """The error share that the interval was computed for."""
    seeds: int = 0
    """Seeds that were used."""
    visible_effect: float | None = None
    """The smallest effect that this many seeds could have shown, in the metric's unit."""
    deviations: tuple[str, ...] = ()
    """Where what was done departs from what was planned."""


def digest(model: BaseModel) -> str:
    """SHA-256 over the canonical JSON of a model: sorted keys, no spaces.

    Returns:
        64 hexadecimal digits.
    """
    body = json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def plain_requirement(text: str) -> str:
    """A package requirement by name and version only.

    A requirement that names an address or a path would let a proposal bring in code from anywhere.

    Raises:
        ValueError: it does not parse, or names an address.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"{text!r} is not a package requirement: {error}") from None
    if requirement.url:
        raise ValueError(f"{text!r} names an address: name packages of the index only")
    return str(requirement)


DOMAIN = re.compile(
    r"(\*\.)?(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)


def plain_domain(text: str) -> str:
    """A domain by name, in small letters; ``*.`` before it stands for everything below it.

    Addresses, ports and paths are refused, and so is what would allow a whole ending such as ``*.org``.

    Raises:
        ValueError: it is no such domain.
    """
    domain = text.strip().lower().rstrip(".")
    if DOMAIN.fullmatch(domain) is None:
        raise ValueError(f"{text!r} is not a domain such as example.org or *.example.org")
    return domain


def criterion_in_words(hypothesis: Hypothesis) -> str:
    """The criterion as one sentence for people.

    Example:
        ``test_error(bagged) − test_error(single) is less than −0.02``
    """
    metric, criterion = hypothesis.metric.name, hypothesis.criterion
    treatment = f"{metric}({hypothesis.treatment.label})"
    if criterion.kind == "in_range":
        return f"{treatment} lies in {_range_in_words(criterion)}"
    assert hypothesis.baseline is not None
    difference = f"{treatment} − {metric}({hypothesis.baseline.label})"
    if criterion.kind == "equivalent":
        return f"{difference} lies within ±{criterion.margin:g}"
    if criterion.direction == "greater":
        return f"{difference} is greater than {criterion.min_effect:g}"
    return f"{difference} is less than {'−' if criterion.min_effect else ''}{criterion.min_effect:g}"


def judged_by_in_words(hypothesis: Hypothesis, alpha: float) -> str:
    """How the verdict will be reached, as one sentence for people."""
    how = "paired over" if hypothesis.paired and hypothesis.baseline else "over"
    widened = "; widened because seeds re-split one data set" if hypothesis.replicates == "resplit" else ""
    few = "; few seeds: only large effects can show" if len(hypothesis.seeds) < FEW_SEEDS else ""
    return (
        f"{how} {len(hypothesis.seeds)} seeds ({_seeds_in_words(hypothesis.seeds)}); "
        f"the whole {100 * (1 - alpha):.4g}% interval must lie inside{widened}{few}"
    )


FEW_SEEDS = 6
"""Below this the smallest possible sign-flip p exceeds 0.05 (2 / 2**5 = 0.0625)."""


def bounds(criterion: Differs | Equivalent | InRange) -> tuple[float, float]:
    """The open range of effects in which the criterion holds, in the metric's unit."""
    match criterion:
        case Differs(direction="greater"):
            return criterion.min_effect, math.inf
        case Differs():
            return -math.inf, -criterion.min_effect
        case Equivalent():
            return -criterion.margin, criterion.margin
        case InRange():
            return (
                -math.inf if criterion.low is None else criterion.low,
                math.inf if criterion.high is None else criterion.high,
            )


def _range_in_words(criterion: InRange) -> str:
    low = "−∞" if criterion.low is None else f"{criterion.low:g}"
    high = "∞" if criterion.high is None else f"{criterion.high:g}"
    return f"{low} … {high}"


def _seeds_in_words(seeds: tuple[int, ...]) -> str:
    ordered = sorted(seeds)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}–{ordered[-1]}"
    return ", ".join(map(str, ordered))
