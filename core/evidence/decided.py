"""What was decided of a hypothesis, as quantities."""

from __future__ import annotations

import math
from typing import Any

from core.errors import BindingError
from core.evidence.evidence import Evidence, hypothesis_name
from core.evidence.measurement import weakest
from core.evidence.quantity import Quantity, Shape
from core.experiment import Verdict


class Decided:
    """Reads verdicts by the name of their hypothesis, such as ``H1``."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def names(self, name: str) -> bool:
        """Whether there is a hypothesis of that name."""
        return self._evidence.experiment_of(name) is not None

    def verdict(self, name: str) -> Quantity:
        """The outcome in a word.

        Raises:
            BindingError: there is no such hypothesis, or it was not judged.
        """
        experiment_id, verdict = self._judged(name)
        rests = tuple(m for m in self._evidence.behind(experiment_id) if math.isfinite(m.value))
        return Quantity("word", verdict.outcome, rests, "", "judged", compares=True)

    def effect(self, name: str) -> Quantity:
        """The effect, in the metric's unit.

        Raises:
            BindingError: there is no such hypothesis, or nothing was computed for it.
        """
        experiment_id, verdict = self._judged(name)
        if verdict.effect is None:
            raise _nothing_computed(name, verdict)
        return self._quantity(experiment_id, "number", verdict.effect)

    def interval(self, name: str) -> Quantity:
        """The interval that decided, in the metric's unit.

        Raises:
            BindingError: there is no such hypothesis, or nothing was computed for it.
        """
        experiment_id, verdict = self._judged(name)
        if verdict.interval is None:
            raise _nothing_computed(name, verdict)
        return self._quantity(experiment_id, "interval", verdict.interval)

    def probability(self, name: str) -> Quantity:
        """The p of the effect.

        Raises:
            BindingError: there is no such hypothesis, or it has no p.
        """
        experiment_id, verdict = self._judged(name)
        if verdict.p is None:
            raise BindingError(f"no p was computed for {name}", "Give its interval or verdict")
        return self._quantity(experiment_id, "probability", verdict.p)

    def _judged(self, name: str) -> tuple[str, Verdict]:
        experiment_id = self._evidence.experiment_of(name)
        if experiment_id is None:
            known = ", ".join(map(hypothesis_name, self._evidence.hypotheses)) or "none"
            raise BindingError(f"there is no hypothesis {name[:40]!r}", f"Hypotheses: {known}")
        verdict = self._evidence.verdicts.get(experiment_id)
        if verdict is None:
            raise BindingError(f"{name} was not judged", "Say that it was not tested")
        return experiment_id, verdict

    def _quantity(self, experiment_id: str, shape: Shape, value: Any) -> Quantity:
        rests = self._evidence.behind(experiment_id)
        unit = self._evidence.hypotheses[experiment_id].metric.unit
        return Quantity(shape, value, rests, unit, weakest(rests), compares=True)


def _nothing_computed(name: str, verdict: Verdict) -> BindingError:
    message = f"nothing was computed for {name}: {verdict.reason}"
    return BindingError(message, f"Write {{{{ verdict({name}) }}}} and say why")
