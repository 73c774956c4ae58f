"""The description of a bundle for programs: an RO-Crate 1.1, as https://w3id.org/ro/crate/1.1 says.

Written by hand: it is one JSON document of flat entities, and the library for it would bring ten
packages along.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from core.bundle.contents import FOLDERS, READ_ME, Gathered, there
from core.record.state import Exec

METADATA = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/crate/1.1"
PYTHON = "https://www.python.org/"
SOFTWARE = "#fumehood"

Entity: TypeAlias = dict[str, Any]

MEDIA_TYPES = {
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
    ".db": "application/vnd.sqlite3",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".txt": "text/plain",
}

ABOUT = {
    "measurements.csv": "Every measurement, with its exec, code line, condition, seed and level.",
    "journal/journal.db": "The run's journal, as fumehood reads it.",
    "journal/events.jsonl": "The events of the journal, one a line.",
    "journal/records.jsonl": "Everything that code recorded, one record a line, with its hash chain.",
    "paper/paper.md": "The paper as it was published; the other forms are made from it.",
    "paper/paper.pdf": "The paper as PDF, with evidence.json attached to it.",
    "paper/paper.tex": "The paper as LaTeX; 'pdflatex -jobname=latex paper.tex' sets it.",
    "paper/references.bib": "What the paper cites, as the resolvers describe it.",
    "paper/evidence.json": "Enough to recompute every number of the paper.",
    "paper/no-pdf.txt": "Why there is no PDF.",
    READ_ME: "What is in this bundle.",
}


def crate_metadata(run_id: str, place: Path, gathered: Gathered) -> str:
    """The text of ``ro-crate-metadata.json``; the same for the same contents.

    Args:
        run_id: the run.
        place: the bundle with everything else in it.
        gathered: the run's state and evidence.

    Raises:
        OSError: a file cannot be read.
    """
    files = sorted(path.relative_to(place) for path in place.rglob("*") if path.is_file())
    graph = [
        _descriptor(),
        _root(run_id, place, files, gathered),
        *(_folder(name, files) for name in there(place)),
        *(_file(place, path, gathered) for path in files),
        *_actions(files, gathered),
        *_data(files, gathered),
        {
            "@id": SOFTWARE,
            "@type": "SoftwareApplication",
            "name": "fumehood",
            "softwareVersion": version("fumehood"),
        },
        {"@id": PYTHON, "@type": "ComputerLanguage", "name": "Python", "url": {"@id": PYTHON}},
        {
            "@id": "#license",
            "@type": "CreativeWork",
            "name": "No licence was stated",
            "description": "Whoever carried out the run decides how it may be used.",
        },
    ]
    document = {"@context": f"{PROFILE}/context", "@graph": graph}
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _descriptor() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": PROFILE},
        "about": {"@id": "./"},
    }


def _root(run_id: str, place: Path, files: list[Path], gathered: Gathered) -> Entity:
    state = gathered.state
    assert state.created is not None
    models = sorted({agent.started.model for agent in state.agents.values()})
    return {
        "@id": "./",
        "@type": "Dataset",
        "identifier": run_id,
        "name": state.title,
        "description": f"A run of fumehood: {state.created.question}"
        + (f" Models: {', '.join(models)}." if models else ""),
        "dateCreated": state.created.at.isoformat(),
        "datePublished": (state.last_at or state.created.at).isoformat(),
        "license": {"@id": "#license"},
        "creator": {"@id": SOFTWARE},
        "hasPart": [
            *({"@id": f"{name}/"} for name in there(place)),
            *({"@id": _id(path)} for path in files if len(path.parts) == 1),
        ],
        "mentions": [
            *({"@id": f"#{exec_id}"} for exec_id in state.execs),
            *({"@id": entity["@id"]} for entity in _data(files, gathered)),
        ],
    }


def _folder(name: str, files: list[Path]) -> Entity:
    return {
        "@id": f"{name}/",
        "@type": "Dataset",
        "name": name,
        "description": FOLDERS[name],
        "hasPart": [{"@id": _id(path)} for path in files if path.parts[0] == name and len(path.parts) > 1],
    }


def _file(place: Path, path: Path, gathered: Gathered) -> Entity:
    with (place / path).open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    entity: Entity = {
        "@id": _id(path),
        "@type": "File",
        "name": _name(path, gathered),
        "contentSize": str((place / path).stat().st_size),
        "sha256": sha256,
    }
    if (media := MEDIA_TYPES.get(Path(entity["name"]).suffix or path.suffix)) is not None:
        entity["encodingFormat"] = media
    about = ABOUT.get(path.as_posix())
    if path.parts[:2] == ("paper", "figures"):
        plot = path.name.startswith("plot-")
        about = "A plot of measurements." if plot else "Drawn by the agent's code; bound to nothing."
    if about:
        entity["description"] = about
    script = gathered.state.execs.get(path.stem)
    if path.parts[0] == "code" and script is not None:
        entity["@type"] = ["File", "SoftwareSourceCode"]
        entity["programmingLanguage"] = {"@id": PYTHON}
        entity["description"] = script.asked.purpose or f"A script of {script.asked.experiment_id}."
    return entity


def _name(path: Path, gathered: Gathered) -> str:
    """What a file is called; what code left behind by the name that the code gave it."""
    if path.parts[0] != "files":
        return path.name
    known = (a.name for a in gathered.evidence.ledger.artifacts if a.sha256 == path.name)
    return next(known, path.name)


def _actions(files: list[Path], gathered: Gathered) -> Iterator[Entity]:
    """Each exec as an action that took a script and gave a log and measurements."""
    for exec_id, script in gathered.state.execs.items():
        log = Path("logs") / f"{exec_id}.log"
        given = [log] if log in files else []
        yield {
            "@id": f"#{exec_id}",
            "@type": "CreateAction",
            "name": script.asked.purpose or exec_id,
            "agent": {"@id": SOFTWARE},
            "instrument": {"@id": _id(Path("code") / f"{exec_id}.py")},
            "result": [{"@id": _id(path)} for path in (*given, Path("measurements.csv"))],
            "startTime": script.asked.at.isoformat(),
            **_end(script),
        }


def _data(files: list[Path], gathered: Gathered) -> Iterator[Entity]:
    """The human's files that are not in the bundle: what they were, so that they can be told when found."""
    for file in gathered.state.data.values():
        if Path("data") / file.name not in files:
            yield {
                "@id": f"#data-{quote(file.name)}",
                "@type": "CreativeWork",
                "name": file.name,
                "description": "A file that experiments of the run read; it is not in this bundle.",
                "sha256": file.sha256,
                "contentSize": str(file.size_bytes),
            }


def _end(script: Exec) -> Entity:
    if script.ended is None:
        return {"actionStatus": {"@id": "http://schema.org/ActiveActionStatus"}}
    well = script.by_itself and script.ended.exit_code == 0
    status = "CompletedActionStatus" if well else "FailedActionStatus"
    ended = script.asked.at + timedelta(seconds=script.ended.seconds)
    entity: Entity = {
        "endTime": ended.isoformat(),
        "actionStatus": {"@id": f"http://schema.org/{status}"},
    }
    return entity if well else entity | {"error": _why(script)}


def _why(script: Exec) -> str:
    assert script.ended is not None
    if script.by_itself:
        return f"exit code {script.ended.exit_code}"
    return f"it was ended: {script.ended.end}"


def _id(path: Path) -> str:
    return quote(path.as_posix())
