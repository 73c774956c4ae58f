"""Specifications: what is refused, and that a hash names exactly one of them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.experiment import (
    Arm,
    Compute,
    Differs,
    Equivalent,
    Experiment,
    InRange,
    bounds,
    criterion_in_words,
    digest,
    plain_domain,
    plain_requirement,
)
from core.record.events import ExperimentProposed
from tests.fakes.specs import experiment, hypothesis, proposal

factors = st.text(max_size=5) | st.integers() | st.floats() | st.booleans()


@given(
    where=st.dictionaries(st.text(max_size=4).filter(lambda name: name != "seed"), factors, min_size=1),
    memory=st.floats(0.1, 1024),
    seeds=st.lists(st.integers(0, 10**6), min_size=2, max_size=5, unique=True),
    min_effect=st.floats(0, 10),
)
def test_a_specification_keeps_its_hash_through_the_journal(
    where: dict[str, Any], memory: float, seeds: list[int], min_effect: float
) -> None:
    spec = experiment(
        hypothesis=hypothesis(
            treatment=Arm(label="treatment", where=where),
            seeds=tuple(seeds),
            criterion=Differs(direction="less", min_effect=min_effect),
        ),
        compute=Compute(memory_gib=memory),
    )
    event = ExperimentProposed(experiment=spec, call_id="c")
    back = ExperimentProposed.model_validate_json(event.model_dump_json()).experiment
    assert back.sha256 == spec.sha256
    assert back.hypothesis is not None
    assert spec.hypothesis is not None
    assert back.hypothesis.sha256 == spec.hypothesis.sha256


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"plan": "Other."},
        {"alpha": 0.04},
        {"repeats": "E9"},
        {"compute": Compute(gpu="H100")},
        {"compute": Compute(network="open")},
        {"compute": Compute(packages=("numpy",))},
        {"compute": Compute(timeout_seconds=1801)},
        {"hypothesis": None},
        {"hypothesis": hypothesis(seeds=(0, 1, 3))},
        {"hypothesis": hypothesis(paired=False)},
        {"hypothesis": hypothesis(treatment=Arm(label="bagged", where={"arm": True}))},
    ],
    ids=str,
)
def test_every_changed_field_is_another_specification(change: dict[str, Any]) -> None:
    assert experiment(**change).sha256 != experiment().sha256


def test_one_and_true_and_its_text_are_different_levels() -> None:
    hashes = {digest(Arm(label="a", where={"x": level})) for level in (1, True, "1", 1.5)}
    assert len(hashes) == 4


def test_packages_are_the_same_in_any_order_and_writing() -> None:
    one = Compute(packages=("scikit-learn >= 1.7", "numpy", "numpy"))
    assert one.packages == ("numpy", "scikit-learn>=1.7")
    assert one == Compute(packages=("numpy", "scikit-learn>=1.7"))


@pytest.mark.parametrize(
    "package",
    ["evil @ https://example.org/evil.whl", "./local", "-e .", "--index-url=x", "git+https://x", "", "a b"],
)
def test_a_package_that_is_more_than_a_name_and_a_version_is_refused(package: str) -> None:
    with pytest.raises(ValueError, match=r"address|not a package requirement"):
        plain_requirement(package)
    with pytest.raises(ValidationError):
        Compute(packages=(package,))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"baseline": None}, "needs a baseline"),
        ({"criterion": InRange(low=0)}, "leave the baseline out"),
        ({"seeds": (1, 1)}, "named twice"),
        ({"seeds": (1,)}, "at least 2"),
        ({"treatment": {"label": "x", "where": {"arm": "single"}}}, "same arm"),
        ({"treatment": {"label": "x", "where": {"seed": 1}}}, "cannot fix the seed"),
        ({"treatment": {"label": "x", "where": {}}}, "at least 1"),
        ({"replicates": "resplit"}, "test_fraction"),
        ({"criterion": {"kind": "differs", "direction": "less", "min_effect": -1}}, "greater than or equal"),
        ({"criterion": {"kind": "differs", "direction": "less", "min_effect": math.inf}}, "finite"),
        ({"criterion": {"kind": "equivalent", "margin": 0}}, "greater than 0"),
        ({"criterion": {"kind": "in_range"}}, "needs a lower limit"),
        ({"criterion": {"kind": "in_range", "low": 2, "high": 2}}, "below the upper"),
        ({"criterion": {"kind": "better"}}, "kind"),
        ({"p_value": 0.05}, "Extra inputs"),
    ],
    ids=str,
)
def test_a_hypothesis_that_nothing_could_decide_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        hypothesis(**change)


@pytest.mark.parametrize("name", ["", "E0", "E01", "e1", "E1 ", "X1", "E1.1", "E-1"])
def test_an_experiments_number_counts_from_one(name: str) -> None:
    with pytest.raises(ValidationError):
        Experiment.model_validate(experiment().model_dump() | {"id": name})


def test_specifications_cannot_be_changed() -> None:
    spec = experiment()
    with pytest.raises(ValidationError, match="frozen"):
        spec.title = "Other"  # type: ignore[misc]


def test_an_exploration_needs_no_hypothesis() -> None:
    assert proposal(hypothesis=None).hypothesis is None


@pytest.mark.parametrize(
    ("criterion", "range_of_effects", "words"),
    [
        (
            Differs(direction="less", min_effect=0.02),
            (-math.inf, -0.02),
            "test_error(bagged) − test_error(single) is less than −0.02",
        ),
        (
            Differs(direction="less"),
            (-math.inf, 0),
            "test_error(bagged) − test_error(single) is less than 0",
        ),
        (
            Differs(direction="greater", min_effect=0.5),
            (0.5, math.inf),
            "test_error(bagged) − test_error(single) is greater than 0.5",
        ),
        (
            Equivalent(margin=0.1),
            (-0.1, 0.1),
            "test_error(bagged) − test_error(single) lies within ±0.1",
        ),
    ],
)
def test_a_criterion_says_the_same_in_numbers_and_in_words(
    criterion: Any, range_of_effects: tuple[float, float], words: str
) -> None:
    assert bounds(criterion) == range_of_effects
    assert criterion_in_words(hypothesis(criterion=criterion)) == words


def test_a_range_says_the_same_in_numbers_and_in_words() -> None:
    planned = hypothesis(criterion=InRange(low=0.1), baseline=None)
    assert bounds(planned.criterion) == (0.1, math.inf)
    assert criterion_in_words(planned) == "test_error(bagged) lies in 0.1 … ∞"


@pytest.mark.parametrize(
    "domain", ["example.org", "*.example.org", " Data.Example.ORG. ", "xn--bcher-kva.example"]
)
def test_domains_are_names_in_small_letters(domain: str) -> None:
    assert plain_domain(domain) == domain.strip().lower().rstrip(".")


@pytest.mark.parametrize(
    "domain",
    [
        "*",
        "*.org",
        "org",
        "localhost",
        "a..b",
        "10.0.0.1",
        "x.org:80",
        "x.org/path",
        "https://x.org",
        "*.*.org",
    ],
)
def test_what_would_allow_more_than_a_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="is not a domain"):
        plain_domain(domain)


def test_domains_belong_to_the_network_that_is_allowed_and_to_no_other() -> None:
    allowed = Compute(network="allowed", domains=("b.example", "A.example", "b.example"))
    assert allowed.domains == ("a.example", "b.example")
    assert allowed.network_in_words == "only a.example, b.example"
    assert Compute(network="open").network_in_words == "open"
    with pytest.raises(ValidationError, match="needs 'domains'"):
        Compute(network="allowed")
    for network in ("blocked", "open"):
        with pytest.raises(ValidationError, match="count with the network 'allowed' only"):
            Compute.model_validate({"network": network, "domains": ["a.example"]})


def test_a_specification_without_domains_keeps_the_hash_of_before_there_were_any() -> None:
    before = "6f25319304764f08e8f744a705e0fecf9b7bebe720e34b067d7365127fa7cb66"
    assert digest(Compute()) == before
    assert "domains" not in Compute().model_dump_json()
    assert digest(Compute(network="allowed", domains=("a.example",))) != before
    read = Compute.model_validate_json(Compute(network="allowed", domains=("a.example",)).model_dump_json())
    assert read.domains == ("a.example",)
