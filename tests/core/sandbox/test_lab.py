"""What experiment code records through ``lab``, read back the way the host reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.record.records import Record, read_record
from tests.core.sandbox.conftest import Place, Ran

LAB = Path(__file__).parents[3] / "core/sandbox"


def read(ran: Ran) -> list[Record]:
    """Every record, as the host reads it."""
    return [
        read_record(line, exec_id="x", number=number, at=datetime.now(UTC), previous="")
        for number, line in enumerate(ran.records, 1)
    ]


def of_kind(ran: Ran, kind: str) -> list[Record]:
    assert ran.result.clean, ran.output.decode()
    return [record for record in read(ran) if record.kind == kind]


def only(ran: Ran, kind: str) -> Record:
    (record,) = of_kind(ran, kind)
    return record


def run_outside(folder: Path, code: str, **environment: str) -> list[dict[str, Any]]:
    """Run a script with the interpreter of the tests, outside any sandbox; returns its records."""
    script = folder / "script.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LAB), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = (folder / "lab_out" / "records.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_result_carries_its_line_its_condition_and_its_unit(place: Place) -> None:
    code = """
import lab

lab.condition(arm="bagged", seed=3)
lab.result("test_error", 0.1593, unit="fraction", split="test", count=360)
"""
    ran = place.run(code)
    record = only(ran, "result")
    assert record.line == 5
    assert record.condition == {"arm": "bagged", "seed": 3}
    body = {name: record.body[name] for name in ("name", "value", "unit", "split", "count")}
    assert body == {"name": "test_error", "value": 0.1593, "unit": "fraction", "split": "test", "count": 360}
    assert ran.output == b"lab.result test_error=0.1593 arm=bagged seed=3\n"


def test_the_line_is_the_scripts_own_also_through_functions_modules_and_wandb(place: Place) -> None:
    code = """
import pathlib
module = "import lab\\ndef report(value):\\n    lab.result('a', value)\\n"
pathlib.Path("reporting.py").write_text(module)
import reporting, wandb, lab
reporting.report(1)
wandb.log({"loss": 2})
def wrapper():
    lab.note("here")
wrapper()
"""
    ran = place.run(code)
    assert only(ran, "result").line == 6
    assert only(ran, "log").line == 7
    assert only(ran, "note").line == 9


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        ("1", 1),
        ("True", True),
        ("-0.5", -0.5),
        ("float('nan')", "nan"),
        ("float('-inf')", "-inf"),
        ("__import__('fractions').Fraction(1, 4)", 0.25),
        ("2**70", 2**70),
    ],
)
def test_a_number_is_recorded_as_it_is(place: Place, value: str, recorded: object) -> None:
    found = only(place.run(f"import lab; lab.result('x', {value})"), "result").body["value"]
    assert found == recorded
    assert type(found) is type(recorded)


@pytest.mark.parametrize("value", ["'0.5'", "None", "[1, 2]", "1j"])
def test_what_is_no_number_is_refused_in_the_script(place: Place, value: str) -> None:
    ran = place.run(f"import lab; lab.result('test_error', {value})")
    assert ran.result.exit_code == 1
    assert b"TypeError: lab.result: test_error must be one number" in ran.output
    assert [record.kind for record in read(ran)] == ["end"]


def test_a_record_that_is_too_long_is_refused_in_the_script(place: Place) -> None:
    ran = place.run("import lab; lab.note('x' * (16 * 1024 * 1024))")
    assert ran.result.exit_code == 1
    assert b"ValueError: lab: this note record has" in ran.output
    assert [record.kind for record in read(ran)] == ["end"]


def test_four_writers_and_a_kill_tear_no_line(place: Place) -> None:
    code = """
import lab, os, signal, time
children = []
for writer in range(4):
    pid = os.fork()
    if pid == 0:
        lab.condition(writer=writer)
        for step in range(500):
            lab.log(step, loss=step / 7, text="x" * (step % 200))
        while writer == 3:
            lab.log(-1, loss=0)
        os._exit(0)
    children.append(pid)
for pid in children[:3]:
    os.waitpid(pid, 0)
os.kill(children[3], signal.SIGKILL)
os.waitpid(children[3], 0)
"""
    ran = place.run(code)
    records = read(ran)
    assert "unreadable" not in {record.kind for record in records}
    logs = [record for record in records if record.kind == "log" and record.body["step"] >= 0]
    steps = [record.body["step"] for record in logs if record.condition == {"writer": 1}]
    assert steps == list(range(500))
    assert sum(record.kind == "end" for record in records) == 1


def test_planned_seeds_and_trial_are_what_the_sandbox_was_opened_with(place: Place) -> None:
    ran = place.run("import lab; print(lab.seeds(), lab.trial())", seeds=(4, 7), trial=True)
    assert ran.output == b"(4, 7) True\n"


def test_a_seed_makes_chance_repeatable(place: Place) -> None:
    code = "import lab, random\nfor _ in range(2):\n    lab.condition(seed=5)\n    print(random.random())"
    first, second = place.run(code).output.split()
    assert first == second


def test_a_seed_that_is_no_whole_number_is_refused(place: Place) -> None:
    ran = place.run("import lab; lab.condition(seed='three')")
    assert b"TypeError: lab.condition: a seed is a whole number" in ran.output


def test_threads_keep_their_conditions_apart(place: Place) -> None:
    code = """
import lab, threading
lab.condition(arm="main")
barrier = threading.Barrier(2)
def work(number):
    lab.note("inherited")
    barrier.wait()
    lab.condition(thread=number)
    barrier.wait()
    lab.result("thread", number)
threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
lab.result("main", -1)
"""
    ran = place.run(code)
    assert {note.condition["arm"] for note in of_kind(ran, "note")} == {"main"}
    for record in of_kind(ran, "result"):
        value = record.body["value"]
        assert record.condition == ({"arm": "main"} if value == -1 else {"thread": value})


def test_splits_that_share_rows_share_fingerprints(place: Place) -> None:
    code = """
import lab
rows = [[n, n / 2] for n in range(100)]
lab.data("train", rows[:60], labels=[0] * 60)
lab.data("test", [tuple(map(float, row)) for row in rows[50:]])
lab.data("words", ["a", "b", {"c": 1}])
"""
    ran = place.run(code)
    train, test, words = of_kind(ran, "data")
    assert (train.body["count"], test.body["count"], words.body["count"]) == (60, 50, 3)
    assert len(set(train.body["rows"]) & set(test.body["rows"])) == 10
    assert all(len(row) == 16 for row in train.body["rows"])


def test_overlaps_of_large_splits_are_found_in_a_sketch(place: Place) -> None:
    code = """
import lab
lab.data("train", [[n] for n in range(30_000)])
lab.data("test", [[n] for n in range(15_000, 45_000)])
"""
    train, test = of_kind(place.run(code), "data")
    assert train.body["sketch"] is test.body["sketch"] is True
    assert train.body["count"] == 30_000
    assert len(train.body["rows"]) == 20_000
    shared = len(set(train.body["rows"]) & set(test.body["rows"]))
    assert 5_000 < shared <= 15_000


def test_arrays_and_lists_of_the_same_numbers_have_the_same_fingerprints(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    code = """
import lab
import numpy as np
rows = [[0.5, 1.0], [-0.0, 3.0]]
lab.data("list", rows)
lab.data("double", np.array(rows))
lab.data("single", np.array(rows, dtype="float32"))
lab.data("strided", np.array(rows).repeat(2, axis=1)[:, ::2])
lab.result("scalar", np.float32(0.5))
lab.result("size one", np.array([3]))
lab.log(np.int64(3), loss=np.float64("nan"), **{"val/acc": 1})
lab.predictions("test", np.array([1, 0]), truth=[1, 1])
lab.condition(seed=1)
print(np.random.random())
"""
    records = run_outside(tmp_path, code)
    fingerprints = {json.dumps(record["rows"]) for record in records if record["kind"] == "data"}
    assert len(fingerprints) == 1
    assert [record["value"] for record in records if record["kind"] == "result"] == [0.5, 3]
    log = next(record for record in records if record["kind"] == "log")
    assert (log["step"], log["values"]) == (3, {"loss": "nan", "val/acc": 1})
    predictions = next(record for record in records if record["kind"] == "predictions")
    assert (predictions["predicted"], predictions["truth"]) == ([1, 0], [1, 1])
    assert "numpy" in records[-1]["modules"]


def test_a_script_runs_unchanged_outside_the_app(tmp_path: Path) -> None:
    code = "import lab\nlab.condition(seed=lab.seeds()[9])\nlab.result('x', 1)\nassert not lab.trial()"
    records = run_outside(tmp_path, code)
    assert [record["kind"] for record in records] == ["condition", "result", "end"]
    assert records[1]["line"] == 3
    assert records[1]["condition"] == {"seed": 9}


def test_workers_that_multiprocessing_spawns_know_their_line_and_do_not_end_the_record(
    tmp_path: Path,
) -> None:
    code = """
import lab, multiprocessing
def work(number):
    lab.result("x", number)
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=work, args=(1,))
    process.start()
    process.join()
"""
    records = run_outside(tmp_path, code)
    assert [(record["kind"], record["line"]) for record in records] == [("result", 4), ("end", 0)]


def test_a_figure_is_kept_as_pictures_and_as_numbers(place: Place) -> None:
    code = """
import lab
class Line:
    def get_label(self): return "loss"
    def get_xdata(self): return [0, 1]
    def get_ydata(self): return [2.0, float("nan")]
class Axes:
    collections = ()
    def get_lines(self): return [Line()]
class Figure:
    axes = [Axes()]
    def savefig(self, path, **options): open(path, "w").write(path[-3:])
lab.figure(Figure(), "curve", caption="A curve")
"""
    ran = place.run(code)
    figure = only(ran, "figure")
    assert figure.body["caption"] == "A curve"
    assert figure.body["series"] == [{"axes": 0, "label": "loss", "x": [0, 1], "y": [2.0, "nan"]}]
    assert [record.body["name"] for record in of_kind(ran, "artifact")] == ["curve.svg", "curve.png"]


def test_training_code_that_logs_to_wandb_records_through_lab(place: Place) -> None:
    code = """
import wandb
with wandb.init(project="p", config={"rate": 0.1}) as run:
    run.config.depth = 3
    wandb.config.update({"width": 4})
    assert wandb.config.rate == 0.1 and run.config["depth"] == 3
    wandb.log({"loss": 0.5})
    run.log({"loss": 0.25, "step": 9}, step=7)
    wandb.summary["accuracy"] = 0.9
    wandb.summary["words"] = "none"
wandb.finish()
"""
    ran = place.run(code)
    settings = [record.body["values"] for record in of_kind(ran, "config")]
    assert settings == [{"rate": 0.1}, {"depth": 3}, {"width": 4}]
    logs = [(record.body["step"], record.body["values"]) for record in of_kind(ran, "log")]
    assert logs == [(0, {"loss": 0.5}), (7, {"loss": 0.25, "step": 9})]
    assert only(ran, "result").body["value"] == 0.9


def test_what_the_stand_in_for_wandb_does_not_have_is_said_plainly(place: Place) -> None:
    ran = place.run("import wandb; wandb.Table()")
    assert b"AttributeError: wandb.Table is not there: this is a stand-in for wandb" in ran.output
