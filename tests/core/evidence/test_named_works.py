"""Works that are named by hand: what was verified may be, what was not is refused, and names are no works."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import core.demo
from core.evidence.binding import bind, strike
from core.evidence.bound import Bound
from core.evidence.evidence import Evidence
from core.evidence.references import reference
from tests.core.evidence.synthetic import a_citation, a_reference, bagging

KIND = "unverified work"
LONE = a_reference("breiman1996bagging", "Breiman", 1996)
PAIR = a_citation("nadeau2003inference", "Nadeau", 2003)
TWO = reference(
    [
        PAIR.model_copy(
            update={
                "work": PAIR.work.model_copy(
                    update={"authors": ("Claude Nadeau", "Yoshua Bengio"), "families": ("Nadeau", "Bengio")}
                )
            }
        )
    ]
)


@cache
def evidence() -> Evidence:
    return replace(bagging(), references={work.key: work for work in (LONE, TWO)})


def bound(text: str) -> Bound:
    return bind(text, evidence())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Smith (2031) argues so.", "Smith (2031)"),
        ("Smith's (2031) argument is known.", "Smith's (2031)"),
        ("Smith [2031] argues so.", "Smith [2031]"),
        ("Smith (2031a, p. 123) argues so.", "Smith (2031a, p. 123)"),
        ("It is known (Smith, 2031).", "Smith, 2031"),
        ("It is known (see Smith et al., 2031).", "Smith et al., 2031"),
        ("It is known (OpenAI, 2023).", "OpenAI, 2023"),
        ("Smith and Jones (2003) say so.", "Smith and Jones (2003)"),
        ("Smith & Jones, 2003, say so.", "Smith & Jones, 2003"),
        ("Smith, Jones and Miller (2009) warn.", "Smith, Jones and Miller (2009)"),
        ("In January, van der Maaten and Hinton (2008) said so.", "van der Maaten and Hinton (2008)"),
        ("LeCun and McLachlan (1998) said so.", "LeCun and McLachlan (1998)"),
        ("Öztürk-Müller (2019) said so.", "Öztürk-Müller (2019)"),
        ("O'Brien (2011) said so.", "O'Brien (2011)"),
        ("Smith et al. show this.", "Smith et al."),
        ("Smith and colleagues show this.", "Smith and colleagues"),
        ("Smith (in press) says so.", "Smith (in press)"),
        ('Smith ({{ lit(2031, "year of publication") }}) argues so.', "Smith (2031)"),
        ("As shown before [3].", "[3]"),
        ("As shown before [1, 2].", "[1, 2]"),
        ("As shown before [4–7].", "[4–7]"),
        ("See arXiv:1706.03762 for it.", "arXiv:1706.03762"),
        ("See doi:10.9999/nothing for it.", "doi:10.9999/nothing"),
        ("See https://arxiv.org/abs/1706.03762v5 for it.", "https://arxiv.org/abs/1706.03762v5"),
        ("See [the paper](https://doi.org/10.9999/nothing).", "https://doi.org/10.9999/nothing"),
        ("Breiman (1997) argues so.", "Breiman (1997)"),
        ("Bre (1996) argues so.", "Bre (1996)"),
        ("Breiman and Smith (1996) argue so.", "Breiman and Smith (1996)"),
        ("Bengio (2003) argues so.", "Bengio (2003)"),
    ],
)
def test_a_work_that_nobody_verified_is_refused_with_its_line_and_struck(text: str, named: str) -> None:
    (problem,) = bound(f"\n\n{text}").problems
    assert (problem.kind, problem.line, problem.excerpt) == (KIND, 3, named)
    assert "nobody verified" in problem.reason
    assert "[@key]" in problem.alternative
    left = strike(text, evidence())
    assert "~~" in left.text
    assert not left.citations


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Breiman (1996) argues so.", "[Breiman \\(1996\\)](#ref-breiman1996bagging) argues so."),
        ("It is known (Breiman, 1996).", "It is known ([Breiman, 1996](#ref-breiman1996bagging))."),
        (
            "In Toronto, Nadeau and Bengio (2003) said so.",
            "In [Toronto, Nadeau and Bengio \\(2003\\)](#ref-nadeau2003inference) said so.",
        ),
    ],
)
def test_a_verified_work_that_is_named_by_hand_is_cited(text: str, shown: str) -> None:
    result = bound(text)
    assert (result.problems, result.text) == ((), shown)
    assert len(result.citations) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Nadeau et al. say so.",
        "*Breiman* (1996) argues so.",
        "See [Breiman (1996)](https://doi.org/10.1000/breiman1996bagging).",
        "See doi:10.1000/Breiman1996Bagging.",
    ],
)
def test_a_verified_work_may_be_named_in_other_ways(text: str) -> None:
    assert not bound(text).problems


@pytest.mark.parametrize("tail", [", 5.5%", ", twice as good", ", p. 12", ", which is better"])
def test_nothing_is_hidden_behind_the_year_of_a_verified_work(tail: str) -> None:
    assert bound(f"As Breiman (1996{tail}) says.").problems


NO_WORKS = """\
We use CIFAR-10, ResNet-50, GPT-4, GPT-3.5, Llama-3.1-8B and F1-score.
As Table 2 and Figure 3 show, the arms differ.
Equation (3) and Eq. (4) define the loss.
See Section 7.10.2 and Appendix B.
The model is pretrained on ImageNet (2012).
CIFAR-10 (2009) and MNIST (1998) are data sets.
COCO and ILSVRC are larger.
H1 and E1 concern 1-NN and k-NN.
Adam and SGD were not compared.
Bagging, Boosting and Random Forests are ensembles.
Breiman's argument is about instability.
The correction of Nadeau and Bengio widens the interval.
The Nadeau-Bengio correction widens the interval.
Gaussian noise and Bernoulli labels are drawn.
The Fourier features follow Rahimi and Recht.
In January (2019) nothing was measured.
The Python script calls NumPy and PyTorch.
On an A100 or H100 the run takes longer.
We ask whether ResNet-50 needs Dropout.
This holds in the limit (see Table 1).
Digits (as shipped by scikit-learn) are small images.
The arm "outside" selects once, on all rows.
We name the arms A, B and C.
Write to ada@example.org about it.
The list [a] and the set {b} are named.
See the documentation at https://scikit-learn.org/stable/modules/ensemble.html.
The code is at https://github.com/example/project.
We write $x_1, \\dots, x_{10}$ and $y_{10}$.
An L2 penalty and fp16 weights are used.
Vision Transformers and Convolutional Networks were not tried.
Monte Carlo dropout is another method.
Two-sided tests and zero-shot baselines were planned.
The question: Does it help?
Europe and America differ.
Version B of the script was run first.
Stochastic Gradient Descent, Adam and RMSProp are optimizers.
(H1) is the first hypothesis; (H2) is the other.
As @tab-2 and @fig-loss show.
- The first item, A.
Oxford-IIIT Pet and Stanford Cars are data sets.
WMT14 and SQuAD are not used.
A [link](https://example.org/2019/07) to a page.
See [the guide](#tab-error) above.
The Student t interval and the Wilcoxon test agree.
Los Alamos and De Moivre begin with capitals.
No match was found in OpenAlex and arXiv.
The Transformer (base) and BERT (large) were left out.
"""


@pytest.mark.parametrize("text", NO_WORKS.splitlines())
def test_names_years_places_and_addresses_are_no_works(text: str) -> None:
    assert not bound(text).problems


def test_a_name_of_this_run_with_a_year_behind_is_no_work() -> None:
    assert [p.kind for p in bound("With Adam (2014) it was trained.").problems] == [KIND]
    known = {"adam": a_reference("adam", "Other", 2000)}
    hypotheses = evidence().hypotheses
    renamed = {
        name: one.model_copy(update={"treatment": one.treatment.model_copy(update={"label": "Adam"})})
        for name, one in hypotheses.items()
    }
    named = replace(evidence(), references=known, hypotheses=renamed)
    assert not bind("With Adam (2014) it was trained.", named).problems


@pytest.mark.parametrize(
    "text",
    sorted(Path(core.demo.__file__).parent.glob("*/*.md")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_no_text_of_a_demo_names_a_work_that_nobody_verified(text: Path) -> None:
    problems = bind(text.read_text(encoding="utf-8"), evidence()).problems
    assert not [problem for problem in problems if problem.kind == KIND]
