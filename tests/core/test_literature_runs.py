"""Whole runs with the literature: cited and verified, or with every source dead."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.budget import Rates, flat, researcher_money
from core.engine import Engine, Models
from core.models.scripted import ScriptedModel, Trajectory
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.local import LocalProvider
from tests.fakes.literature_replies import SENTENCE
from tests.fakes.literature_servers import Literary, literary
from tests.fakes.tiny_run import SECONDS, call, proposed, study, tiny_run

KEY = "breiman1996bagging"


def trajectory(body: str, *verifying: dict[str, Any]) -> Trajectory:
    """A tiny study whose orchestrator searches first, and whose writer searches, verifies and writes."""
    plan = [
        call("search_literature", query="bagging"),
        call("propose_experiments", experiments=[proposed()]),
        call("wait_for_results"),
        {"when": "Still open"} | call("wait_for_results"),
        {"when": "Still open"} | call("wait_for_results"),
        call("finish_research", summary="Done."),
    ]
    paper = call("submit_paper", title="Scores", abstract="New wins.", body=body)
    return study(
        orchestrator=plan, writer=[call("search_literature", query="bagging trees"), *verifying, paper]
    )


def played(folder: RunFolder, **servers: Any) -> tuple[RunState, Literary]:
    async def main() -> tuple[RunState, Literary]:
        script = Trajectory.model_validate_json(folder.trajectory_path.read_bytes())
        model = ScriptedModel("scripted:tiny", script)
        async with literary(**servers) as there:
            with folder.locked(), folder.journal() as journal:
                live = LiveRun(folder, journal)
                engine = Engine(
                    live,
                    Models(model, model, model),
                    LocalProvider(folder.path),
                    Rates(flat(live.state.settings.local_usd_per_hour), researcher_money(model.prices, 10)),
                    literature=there.literature,
                )
                async with asyncio.timeout(SECONDS):
                    await engine.run()
                return live.state, there

    return asyncio.run(main())


def test_a_verified_work_is_cited_listed_and_written_as_bibtex(tmp_path: Path) -> None:
    body = f"H1 is {{{{ verdict(H1) }}}}. It was asked before [@{KEY}]."
    folder = tiny_run(tmp_path, trajectory(body, call("verify_citation", key=KEY, passage=SENTENCE)))
    state, _ = played(folder)
    assert state.ended is not None
    assert state.ended.outcome == "done"
    assert state.paper is not None
    assert state.paper.struck == 0
    paper = (folder.paper / "paper.md").read_text()
    assert f"([Breiman, 1996](#ref-{KEY}))" in paper
    assert f'<a id="ref-{KEY}"></a>Leo Breiman' in paper
    assert r"The literature was searched 2 times \(OpenAlex and arXiv\)" in paper
    assert (folder.paper / "references.bib").read_text().startswith(f"@article{{{KEY},\n")
    assert SENTENCE in (folder.paper / "evidence.json").read_text()


def test_a_run_with_every_source_dead_ends_in_a_paper_that_says_so(tmp_path: Path) -> None:
    body = f"H1 is {{{{ verdict(H1) }}}}. It was asked before [@{KEY}]. Nothing else is said."
    verifying = call("verify_citation", key=KEY, passage=SENTENCE)
    folder = tiny_run(tmp_path, trajectory(body, verifying))
    state, _ = played(folder, openalex=None, arxiv=None, crossref=None, doi=None)
    assert state.ended is not None
    assert state.ended.outcome == "done"
    assert state.paper is not None
    paper = (folder.paper / "paper.md").read_text()
    assert r"The literature could not be searched\: it was tried 2 times, and no source answered." in paper
    assert KEY not in paper
    assert (folder.paper / "references.bib").read_text() == ""
    assert [search.answered for search in state.searches.values()] == [(), ()]


def test_an_engine_that_starts_again_asks_no_source_again_and_keeps_what_was_verified(tmp_path: Path) -> None:
    body = f"H1 is {{{{ verdict(H1) }}}}. It was asked before [@{KEY}]."
    folder = tiny_run(tmp_path, trajectory(body, call("verify_citation", key=KEY, passage=SENTENCE)))
    first, _ = played(folder)
    again, there = played(folder)
    assert there.asked == []
    assert again.citations == first.citations
