"""Everything that a paper may rest on, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.evidence.judge import arms_of
from core.evidence.ledger import Ledger
from core.evidence.measurement import Measurement
from core.evidence.references import Reference
from core.experiment import Hypothesis, Verdict


@dataclass(frozen=True)
class Evidence:
    """Measurements, verdicts and the works that may be cited.

    Attributes:
        ledger: every measurement of the run.
        verdicts: by experiment id, for experiments that were judged.
        hypotheses: by experiment id, locked ones only.
        locked_at: when each was locked, UTC, by experiment id; what was measured before does
            not belong to it.
        references: works that may be cited, by key.
        unverified: keys of works that searches returned and that nobody looked up again.
    """

    ledger: Ledger
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    hypotheses: Mapping[str, Hypothesis] = field(default_factory=dict)
    locked_at: Mapping[str, datetime] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)
    unverified: frozenset[str] = frozenset()

    def experiment_of(self, name: str) -> str | None:
        """The experiment id that ``H1`` or ``E1`` stands for; None where there is no such hypothesis."""
        experiment_id = "E" + name[1:] if name[:1] in ("H", "E") else ""
        return experiment_id if experiment_id in self.hypotheses else None

    def behind(self, experiment_id: str) -> tuple[Measurement, ...]:
        """The measurements that decided a hypothesis: one for each arm and planned seed."""
        hypothesis = self.hypotheses[experiment_id]
        arms = arms_of(experiment_id, hypothesis, self.locked_at.get(experiment_id), self.ledger)
        return tuple(arm.used[seed] for arm in arms for seed in sorted(arm.used))

    def widening_fraction(self, experiment_ids: set[str]) -> float:
        """The largest held-out share among experiments whose seeds re-split one data set; else 0."""
        planned = [self.hypotheses[name] for name in experiment_ids if name in self.hypotheses]
        return max((h.test_fraction for h in planned if h.replicates == "resplit"), default=0.0)


def hypothesis_name(experiment_id: str) -> str:
    """What a paper calls the hypothesis of an experiment: ``H1`` for ``E1``."""
    return "H" + experiment_id[1:]
