"""How many false numbers get into a paper.

Falsifies a sample paper over made-up measurements in every way that we know, and counts what
``bind`` lets through. Run with ``python -m tests.bench.binding``; ``--count`` for a short form.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from itertools import product

from core.evidence.binding import bind, strike
from core.evidence.evidence import Evidence
from core.evidence.ledger import Ledger
from core.record.records import Record
from tests.core.evidence.synthetic import LOCKED, SEEDS, facts, record

DATA = ("digits", "wine", "spam")
BASES = ("tree", "knn", "ridge")
ARMS = ("single", "bagged")
METRICS = ("test_error", "train_error")

SENTENCES = (
    "On {data}, the {base} with the {arm} arm has a {metric} of {token} over all seeds.",
    "For {data} data we see {token} as the {metric} of the {arm} {base}.",
    "The {metric} of {base} on {data} is {token} when {arm}.",
    "With {arm} fits the {base} reaches a {metric} of {token} on {data}, as the table shows.",
)

TRUE_SENTENCES = (
    "On digits, single trees have a test error of {{ test_error.digits.tree.single : .1% }}.",
    "Bagging trees brings the test error on digits to {{ test_error.digits.tree.bagged : .1% }}.",
    "For k-NN on wine, the test error is {{ test_error.wine.knn.single : .1% }} as a single model.",
    "Bagged k-NN on wine has a test error of {{ test_error.wine.knn.bagged : .1% }}.",
    "On spam the single ridge has a training error of {{ train_error.spam.ridge.single : .1% }}.",
    "Nearest neighbours on digits err on {{ test_error.digits.knn.single : .1% }} of the test rows.",
    "The training error of bagged ridge regression on spam is {{ train_error.spam.ridge.bagged : .1% }}.",
    "A single decision tree on wine errs at {{ test_error.wine.tree.single : .1% }}.",
    "After bagging, the tree on wine errs at {{ test_error.wine.tree.bagged : .1% }}.",
    "Digits are where the ensemble of trees errs at {{ test_error.digits.tree.bagged : .1% }}.",
    "Single and bagged trees on spam: {{ test_error.spam.tree.single : .1% }} and "
    "{{ test_error.spam.tree.bagged : .1% }}.",
    "The bagged ridge on digits errs at {{ test_error.digits.ridge.bagged : .1% }}.",
    "On wine data a ridge that is bagged errs at {{ test_error.wine.ridge.bagged : .1% }}.",
    "A lone tree on spam errs at {{ test_error.spam.tree.single : .1% }}.",
)
"""True statements in free words: a warning on any of them is a false alarm."""

KINDS = ("last digit", "rounded in favour", "another arm's", "free invention", "misspelt key")


def sample_evidence() -> Evidence:
    """Made-up measurements of 36 conditions on 10 seeds."""
    generator = random.Random(20261123)
    records: list[Record] = []
    for data, base, arm, metric in product(DATA, BASES, ARMS, METRICS):
        mean = generator.uniform(0.01, 0.4)
        for seed in SEEDS:
            body = {"name": metric, "value": generator.gauss(mean, mean / 20), "unit": "fraction"}
            condition = {"data": data, "base": base, "arm": arm, "seed": seed}
            records.append(record("result", body, condition=condition, number=len(records) + 1))
    ledger = Ledger.from_records(records, {"E1-x1": facts()})
    return Evidence(ledger, {}, {}, {"E1": LOCKED})


def sample_paper(evidence: Evidence) -> list[tuple[str, str]]:
    """Sentences of the sample paper, each with the key that it names."""
    paper = []
    for position, key in enumerate(evidence.ledger.keys.values()):
        words = {"metric": key.metric.replace("_", " "), **key.condition, "token": "{token}"}
        paper.append((SENTENCES[position % len(SENTENCES)].format(**words), key.name))
    return paper


def falsified(kind: str, key: str, evidence: Evidence, generator: random.Random) -> tuple[str, str]:
    """A false number (or a token that names nothing) in the place of a true one.

    Returns:
        What to write, and the false number as a reader would see it.
    """
    known = list(evidence.ledger.keys)
    true = _percent(evidence, key)
    if kind == "misspelt key":
        wrong = _misspelt(key, known, generator)
        return f"{{{{ {wrong} : .1% }}}}", ""
    if kind == "last digit":
        false = f"{true[:-2]}{(int(true[-2]) + generator.randint(1, 9)) % 10}%"
    elif kind == "rounded in favour":
        false = generator.choice([f"{int(float(true[:-1]))}%", f"about {int(float(true[:-1]))} percent"])
    elif kind == "another arm's":
        false = _percent(evidence, generator.choice([name for name in known if name != key]))
    else:
        false = generator.choice([f"{generator.uniform(0, 60):.1f}%", f"{generator.uniform(0, 1):.3f}"])
    return generator.choice(DISGUISES)(false), false


DISGUISES: tuple[Callable[[str], str], ...] = (
    lambda false: false,
    lambda false: f"**{false}**",
    lambda false: f"`{false}`",
    lambda false: f"${false.rstrip('%')}$",
    lambda false: rf"$\text{{{false.rstrip('%')}}}$",
    lambda false: rf"$x = {false.rstrip('%')}\,\%$",
    lambda false: false.replace(".", r"\."),
    lambda false: re.sub(r"\d", lambda m: f"&#{ord(m[0])};", false),
    lambda false: re.sub(r"\d", lambda m: f"&#x{ord(m[0]):x};", false),
    lambda false: re.sub(r"\d", lambda m: chr(0xFF10 + int(m[0])), false),
    lambda false: re.sub(r"\d", lambda m: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(m[0])], false),
    lambda false: re.sub(r"\d", lambda m: f"{m[0]}\ufe0f\u20e3", false),
    lambda false: re.sub(r"\d", lambda m: f"{m[0]}\u200b", false),
    lambda false: re.sub(r"\d", lambda m: f"*{m[0]}*", false),
    lambda false: f"[{false}](https://example.org)",
    lambda false: f"[{false}](#e1)",
    lambda false: f"<b>{false}</b>",
    lambda false: f"~~{false}~~",
    lambda false: f"\n\n# Error {false}\n\n",
    lambda false: f"\n\n| error |\n| --- |\n| {false} |\n\n",
    lambda false: f"\n\n```\n{false}\n```\n\n",
    lambda false: f"\n\n    {false}\n\n",
    lambda false: f"\n\n- {false}\n\n",
    lambda false: f"\n\n> {false}\n\n",
    lambda false: f'{{{{ lit({false.rstrip("%")}, "as measured") }}}}',
    lambda false: f"{{{{ {false.rstrip('%')} : .1f }}}}",
    lambda false: _in_words(false),
)


def _in_words(false: str) -> str:
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    digits = [words[int(c)] if c.isdigit() else "point" if c == "." else "" for c in false]
    return " ".join(word for word in digits if word) + " percent"


def _percent(evidence: Evidence, key: str) -> str:
    values = evidence.ledger.keys[key].values
    return f"{100 * sum(values) / len(values):.1f}%"


def _misspelt(key: str, known: list[str], generator: random.Random) -> str:
    while True:
        place = generator.randrange(len(key))
        letter = generator.choice("abcdefghijklmnopqrstuvwxyz_")
        wrong = generator.choice([key[:place] + key[place + 1 :], key[:place] + letter + key[place + 1 :]])
        if wrong not in known:
            return wrong


def count_accepted(per_kind: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Falsify the sample paper ``per_kind`` times in each kind.

    Returns:
        Falsifications tried, accepted by ``bind``, and left readable by ``strike``, by kind.
    """
    evidence, generator = sample_evidence(), random.Random(1)
    paper = sample_paper(evidence)
    tried: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    readable: Counter[str] = Counter()
    for kind in KINDS:
        for _ in range(per_kind):
            chosen = generator.sample(paper, 3)
            victim = generator.randrange(3)
            tokens = [f"{{{{ {key} : .1% }}}}" for _, key in chosen]
            tokens[victim], false = falsified(kind, chosen[victim][1], evidence, generator)
            sentences = [s.format(token=t) for (s, _), t in zip(chosen, tokens, strict=True)]
            text = "\n\n".join(sentences)
            tried[kind] += 1
            accepted[kind] += not bind(text, evidence).problems
            left = re.sub(r"~~.*?~~", "", strike(text, evidence).text, flags=re.DOTALL)
            bound = re.sub(r"\[[^\]]*\]\(#e\d+\)", "", left)
            readable[kind] += bool(false) and false.removeprefix("about ") in bound
    return tried, accepted, readable


def wrong_keys(count: int) -> tuple[int, int, int]:
    """Put a real but wrong key into true sentences.

    Returns:
        Wrong keys tried, wrong keys that were warned about, and false alarms on true sentences.
    """
    evidence, generator = sample_evidence(), random.Random(2)
    paper, known = sample_paper(evidence), list(evidence.ledger.keys)
    caught = 0
    for _ in range(count):
        sentence, key = generator.choice(paper)
        wrong = generator.choice([name for name in known if name != key])
        caught += bool(bind(sentence.format(token=f"{{{{ {wrong} : .1% }}}}"), evidence).warnings)
    alarms = sum(bool(bind(sentence, evidence).warnings) for sentence in TRUE_SENTENCES)
    return count, caught, alarms


def main() -> int:
    """Print the counts.

    Returns:
        0 if no falsification was accepted or left readable, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="falsifications in all")
    count = parser.parse_args().count
    tried, accepted, readable = count_accepted(max(1, count // len(KINDS)))
    print(f"{'falsification':20} {'tried':>6} {'accepted':>9} {'readable after striking':>24}")
    for kind in KINDS:
        print(f"{kind:20} {tried[kind]:6} {accepted[kind]:9} {readable[kind]:24}")
    wrong, caught, alarms = wrong_keys(max(1, count // len(KINDS)))
    print(
        f"real but wrong key: {caught} of {wrong} warned about ({caught / wrong:.0%}), "
        f"{alarms} false alarms in {len(TRUE_SENTENCES)} true sentences"
    )
    return 1 if sum(accepted.values()) or sum(readable.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
