"""The figures and page pictures in a paper's folder: a forged one that LaTeX would use is named."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from core.paper.verify import INSTALLED, Verified
from core.paper.verify_run import verify_run
from core.record.folder import RunFolder, create_run
from tests.fakes.forging import saved_anew, small_png
from tests.fakes.specs import run_settings
from tests.fakes.tiny_run import MEASURE, call, play, study

RED, GREEN = small_png((200, 30, 30)), small_png((30, 200, 30))
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>'
CODE = f"""{MEASURE}
from pathlib import Path
for seed in lab.seeds():
    for arm in ("new", "old"):
        lab.condition(arm=arm, seed=seed)
        for step in (1, 2, 3):
            lab.log(step, loss=1 / step + 0.01 * seed)
Path("drawn.png").write_bytes({RED!r})
lab.artifact("drawn.png")
Path("lines.svg").write_text({SVG!r})
lab.artifact("lines.svg")
"""
BODY = """The new one scores {{ score.new : .2f }}.

::: plot #fig-loss metric=loss x=step by=arm caption="Loss."
:::
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    writer = [call("submit_paper", title="Scores", abstract="Nothing.", body=BODY)]
    trajectory = study(CODE, writer=writer)
    settings = run_settings(approve="auto", num_agents=4, max_rounds=2)
    parent = tmp_path_factory.mktemp("played")
    folder = create_run(parent, trajectory.question, settings, INSTALLED, trajectory.model_dump_json())
    play(folder)
    return folder


@pytest.fixture
def run(played: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(played.path, tmp_path / played.run_id, ignore=shutil.ignore_patterns("sandboxes"))
    return RunFolder(tmp_path / played.run_id)


def found_in(folder: RunFolder) -> Verified:
    return asyncio.run(verify_run(folder))


def figures(folder: RunFolder) -> dict[str, Path]:
    """The figures by what they are: the plot, the agent's picture, the agent's drawing."""
    plot = folder.paper / "figures" / "plot-1.pdf"
    others = [path for path in plot.parent.iterdir() if path != plot]
    return {"plot": plot} | {path.suffix: path for path in others}


def test_figures_and_pages_as_they_were_published_hold(run: RunFolder) -> None:
    assert figures(run).keys() == {"plot", ".png", ".pdf"}
    found = found_in(run)
    assert (found.failures, found.notes) == ((), ())


@pytest.mark.parametrize("which", ["plot", ".pdf"])
def test_a_forged_plot_or_drawing_that_latex_would_use_is_named(run: RunFolder, which: str) -> None:
    path = figures(run)[which]
    path.write_bytes(saved_anew(path.read_bytes(), lambda writer: writer.add_blank_page(9, 9)))
    assert found_in(run).failures == (f"figures/{path.name} is not what the evidence gives",)


def test_a_picture_of_an_agent_that_was_swapped_is_named_by_its_hash(run: RunFolder) -> None:
    path = figures(run)[".png"]
    assert path.read_bytes() == RED
    path.write_bytes(GREEN)
    assert found_in(run).failures == (f"figures/{path.name} is not what its hash says",)


def test_a_page_that_was_painted_over_is_named(run: RunFolder) -> None:
    (run.paper / "pages" / "page-1.png").write_bytes(GREEN)
    assert "pages/page-1.png is not what the evidence gives" in found_in(run).failures


def test_figures_and_pages_that_are_gone_are_named_with_what_makes_them_again(run: RunFolder) -> None:
    figures(run)["plot"].unlink()
    (run.paper / "pages" / "page-1.png").unlink()
    said = found_in(run).failures
    remedy = f"make it again with 'fumehood paper {run.run_id} --render'"
    assert f"figures/plot-1.pdf is gone; {remedy}" in said
    assert f"pages/page-1.png is gone; {remedy}" in said
