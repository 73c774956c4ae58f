"""Where the human was looking when a run was left, so that coming back shows the same place."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

from core import APPLICATION

MOST_PLACES = 200
"""Runs whose place is kept; the one left longest ago goes first."""


class Place(BaseModel):
    """A place on a run's screen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    agent: str = "orchestrator"
    """The agent that was looked at."""
    views: dict[str, str] = {}
    """The view that was last chosen, for each kind of agent."""


def places_path() -> Path:
    """The file that keeps places; it need not exist."""
    return platformdirs.user_state_path(APPLICATION) / "places.json"


def last_place(run_id: str) -> Place:
    """Where a run was left; the beginning where that is not known."""
    try:
        return Place.model_validate(_read().get(run_id, {}))
    except ValidationError:
        return Place()


def keep_place(run_id: str, place: Place) -> None:
    """Keep a place. It is a comfort only, so that a full or read-only disk is no error."""
    places = _read()
    places.pop(run_id, None)
    kept = dict(list(places.items())[-(MOST_PLACES - 1) :]) | {run_id: place.model_dump()}
    path = places_path()
    draft = path.with_suffix(".draft")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_text(json.dumps(kept), encoding="utf-8")
        draft.replace(path)


def _read() -> dict[str, object]:
    try:
        places = json.loads(places_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return places if isinstance(places, dict) else {}
