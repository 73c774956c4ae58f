"""Papers that are hard to set: wide tables, long code, long titles, any formula, any script, many works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from core.paper.document import Attempt
from core.paper.markdown import PaperFiles
from tests.core.evidence.synthetic import a_reference
from tests.core.paper.test_markdown import BODY, FILLER, evidence, paper

FORMULAS = r"""# Method

Inline $\sum_{i=1}^n x_i$, $\frac{a}{b}$, $\hat{\theta}$, $\mathbb{E}[X]$, $\lVert w \rVert_2$ and $f'(x)$.

$$ \mathcal{L}(\theta) = -\frac{1}{N}\sum_{n=1}^{N} \log p_\theta(y_n \mid x_n) + \lambda \lVert \theta \rVert_2^2 $$ {#eq-loss}

As @eq-loss says, and

$$
A = \begin{pmatrix} a_{11} & \cdots & a_{1n} \\ \vdots & \ddots & \vdots \\ a_{m1} & \cdots & a_{mn} \end{pmatrix}
$$

$$
a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8 + a_9 + b_1 + b_2 + b_3 + b_4 + b_5 + b_6 + b_7 + b_8 + b_9 = z
$$ {#eq-long}

$$
\unknown{x} + \require{ams}
$$
"""  # noqa: E501

TABLES = f"""# Tables

| a | method | on test | on train | parameters | rate | optimiser | remarks |
| --- | :---: | ---: | ---: | ---: | ---: | --- | --- |
| x | `resnet` | high | higher | many | small | Adam | a long remark over several words |
| y | `vision_transformer_base_patch` | low | lower | few | large | SGD | short |
| z | averylongunbrokenwordwithoutanyspaceatalltoseewhathappens | | | | | | |

| long | cell |
| --- | --- |
| {FILLER * 3} | {FILLER * 4} |

| name | words |
| --- | --- |
""" + "\n".join(f"| row | {'word ' * (i % 9)} |" for i in range(90))

CODE = """# Code

Inline `lab.result("test_error", value)` and `a_very_long_identifier_that_goes_on_and_on_and_on_for_ever`.

```python
def fit(features, labels, *, estimators=None):
    print(f"{name!r}: ünïcode → ≤ 你好 {'x' * width}", "averylongstringthatneverends" "~^_$#%&\\\\n")
```

- a list
  - in a list

> A quotation.

Text[^note] with a footnote.

[^note]: The footnote, with `code` and $x$.
"""

SCRIPTS = """# Words

Greek αβγ ΑΒΓ άέή, Cyrillic Привет мир, accents çéàüößñ Łódź Nguyễn, Chinese 你好世界, emoji 🚀 👩‍🔬,
Hebrew שלום עולם, Arabic مرحبا بالعالم, Thai สวัสดี, signs → ← ≤ ≥ ≠ ± × ∞ ✓ ★ ™ © § † • € and “quotes”.

A mixed line: the model מודל at 模型 in `code 你好` and **bold 你好**, *emphasis αβγ*.
"""

KEYS = ("breiman1996", "nadeau1996", "müller1996")
WORKS = {key.replace("ü", "u"): a_reference(key.replace("ü", "u"), key[:-4].title(), 1996) for key in KEYS}

CITED = """# Related work

See [@breiman1996], [@nadeau1996, p. 12; @muller1996] and @breiman1996, who says so again [-@nadeau1996].
"""


def _attempts() -> tuple[Attempt, ...]:
    return tuple(
        Attempt(
            f"E{i}",
            "A rather long title that wraps" * (i % 3),
            "timed out",
            "",
            "H100",
            Decimal("12.3"),
            60.0,
        )
        for i in range(1, 201)
    )


PAPERS: dict[str, Callable[[], PaperFiles]] = {
    "plain": paper,
    "draft": lambda: paper(body=f"{BODY}\n\nIt took 99 steps and four hours."),
    "by code alone": lambda: paper(body="\n", abstract="The writer submitted no paper."),
    "formulas": lambda: paper(body=FORMULAS),
    "tables": lambda: paper(body=TABLES),
    "code": lambda: paper(body=CODE),
    "scripts": lambda: paper(body=SCRIPTS, title="Bagging 学习 για δέντρα и деревья 🚀"),
    "citations": lambda: paper(body=CITED, evidence=replace(evidence(), references=WORKS)),
    "attempts": lambda: paper(attempts=_attempts()),
    "long title": lambda: paper(title="A Study of Trees and Neighbours with $O(n)$ Remarks on `code` " * 4),
    "plots": lambda: paper(
        body="::: plot #fig-x metric=train_loss x=step by=arm "
        'caption="Loss of {{ cfg(n_estimators.bagged) }}."\n:::\n\n'
        f"See @fig-x. {FILLER}"
    ),
}
