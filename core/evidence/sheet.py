"""Evidence in words for models: the sheet for the writer, the report for the orchestrator.

Names and texts in them come from experiment code and are bounded; whoever hands them to a model
fences them as data.
"""

from __future__ import annotations

import math
from collections import defaultdict

from core.evidence import statistics
from core.evidence.condition import canonical_level, slug
from core.evidence.evidence import Evidence, hypothesis_name
from core.evidence.measurement import Config, Flag, Key
from core.experiment import Verdict, criterion_in_words

LONGEST_REPORT = 4_000
"""Characters of a report, about 1,000 tokens."""

LONGEST_SHEET = 24_000
"""Characters of a sheet, about 6,000 tokens; what is left out is said."""


def sheet(evidence: Evidence) -> str:
    """The evidence sheet: the only keys, settings and verdicts that a paper may name."""
    keys = [_key_line(key) for key in evidence.ledger.keys.values()]
    settings = _settings(evidence)
    series = _series(evidence)
    verdicts = [
        line
        for experiment_id, verdict in evidence.verdicts.items()
        for line in _verdict_lines(evidence, experiment_id, verdict)
    ]
    sections = [
        ("Measurements (key, n, mean, sd, unit, level)", keys),
        ("Hypotheses", verdicts),
        ("Settings", settings),
        ("Series for ::: plot (metric; factors for by=)", series),
        ("What looks wrong", [_flag_line(flag) for flag in evidence.ledger.flags]),
    ]
    text = "\n\n".join(f"{title}:\n" + ("\n".join(lines) or "none") for title, lines in sections)
    return _cut(text, LONGEST_SHEET)


def report(evidence: Evidence, experiment_id: str, longest: int = LONGEST_REPORT) -> str:
    """What one experiment gave, for the orchestrator; about 1,000 tokens at most.

    Args:
        evidence: of the run.
        experiment_id: the experiment.
        longest: characters; what is left out is said.
    """
    lines: list[str] = []
    hypothesis = evidence.hypotheses.get(experiment_id)
    if hypothesis is not None:
        lines += [f"hypothesis: {hypothesis.statement}", f"criterion: {criterion_in_words(hypothesis)}"]
    verdict = evidence.verdicts.get(experiment_id)
    if verdict is not None:
        lines += _verdict_lines(evidence, experiment_id, verdict)
    execs = [facts for facts in evidence.ledger.execs.values() if facts.experiment_id == experiment_id]
    counted = sum(not facts.doubt for facts in execs)
    lines.append(f"execs: {len(execs)}, of which {counted} count")
    lines += [_flag_line(f) for f in evidence.ledger.flags if f.experiment_id == experiment_id]
    keys = [
        key
        for key in evidence.ledger.keys.values()
        if any(m.experiment_id == experiment_id for m in key.measurements)
    ]
    lines.append(f"measurements ({len(keys)} keys):")
    lines += [_key_line(key) for key in keys]
    if not keys:
        lines.append("none that count")
    return _cut("\n".join(lines), longest)


def _key_line(key: Key) -> str:
    values = [v for v in key.values if math.isfinite(v)]
    numbers = f"mean={statistics.mean(values):.5g}" if values else "no finite value"
    if len(values) > 1:
        numbers += f" sd={statistics.standard_deviation(values):.3g}"
    broken = f" NOT FINITE for {len(key.values) - len(values)} seeds" if len(values) < len(key.values) else ""
    return f"{key.name}  n={len(key.values)} {numbers} unit={key.unit or '-'} {key.level}{broken}"


def _verdict_lines(evidence: Evidence, experiment_id: str, verdict: Verdict) -> list[str]:
    name = hypothesis_name(experiment_id)
    tokens = [f"verdict({name})"]
    numbers = ""
    if verdict.effect is not None and verdict.interval is not None:
        tokens += [f"effect({name})", f"ci({name})"]
        low, high = verdict.interval
        numbers = f" effect={verdict.effect:.4g} interval=[{low:.4g}, {high:.4g}]"
    if verdict.p is not None:
        tokens.append(f"p({name})")
        numbers += f" p={verdict.p:.2g}"
    hypothesis = evidence.hypotheses.get(experiment_id)
    statement = f"{name}: {hypothesis.statement}" if hypothesis else name
    lines = [statement, f"  {verdict.outcome}: {verdict.reason}{numbers}", f"  tokens: {', '.join(tokens)}"]
    return lines + [f"  departure: {deviation}" for deviation in verdict.deviations]


def _settings(evidence: Evidence) -> list[str]:
    by_name: dict[str, list[tuple[Config, object]]] = defaultdict(list)
    for config in evidence.ledger.configs:
        if config.usable:
            for name, value in config.values.items():
                by_name[slug(name)].append((config, value))
    lines: list[str] = []
    for name in sorted(by_name):
        values = {canonical_level(value): value for _, value in by_name[name]}
        if len(values) == 1:
            lines.append(f"cfg({name}) = {next(iter(values))[:80]}")
            continue
        shown: dict[str, set[str]] = defaultdict(set)
        for config, value in by_name[name]:
            for level in [config.experiment_id, *map(slug, config.condition.values())]:
                shown[f"cfg({name}.{level})"].add(canonical_level(value))
        lines += [
            f"{token} = {found.pop()[:80]}" for token, found in sorted(shown.items()) if len(found) == 1
        ]
    return lines


def _series(evidence: Evidence) -> list[str]:
    factors: dict[str, dict[str, None]] = defaultdict(dict)
    for point in evidence.ledger.logs:
        if point.usable:
            for metric in point.values:
                factors[metric] |= dict.fromkeys(point.condition)
    return [f"{metric}; {', '.join(names) or 'none'}" for metric, names in sorted(factors.items())]


def _flag_line(flag: Flag) -> str:
    times = f" ({flag.count} times)" if flag.count > 1 else ""
    line = f" line {flag.line}" if flag.line else ""
    return f"FLAG {flag.kind} in {flag.exec_id}{line}: {flag.text}{times}"


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    kept = text[: longest - 60].rsplit("\n", 1)[0]
    return f"{kept}\n… {text.count(chr(10)) - kept.count(chr(10))} more lines were left out"
