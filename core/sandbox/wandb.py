"""A stand-in for Weights & Biases: training code that logs to it records through ``lab`` instead.

Nothing leaves the machine. ``wandb.log`` makes ``lab.log`` records, ``wandb.config`` makes
``lab.config`` records, and numbers put into ``wandb.summary`` become measurements.
"""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Mapping
from typing import Any

import lab  # type: ignore[import-not-found]


class _Config(dict[str, Any]):
    """Settings; each that is set is recorded."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        lab.config(**{name: value})

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"wandb.config has no setting {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *values: Any, **more: Any) -> None:
        """Set several settings at once."""
        new = dict(*values, **more)
        super().update(new)
        lab.config(**new)


class _Summary(_Config):
    """Final values; each number that is set becomes a measurement."""

    def __setitem__(self, name: str, value: Any) -> None:
        dict.__setitem__(self, name, value)
        if isinstance(value, numbers.Real) or hasattr(value, "item"):
            lab.result(name, value)

    def update(self, *values: Any, **more: Any) -> None:
        """Set several values at once."""
        for name, value in dict(*values, **more).items():
            self[name] = value


config = _Config()
summary = _Summary()
_steps = itertools.count()


def log(metrics: Mapping[str, Any], step: int | None = None, **_: Any) -> None:
    """Record metrics of one step; without one, of the next."""
    lab.log(next(_steps) if step is None else step, **metrics)


def finish(*_: Any, **__: Any) -> None:
    """End the run; everything is on disk already."""


class _Run:
    """What ``init`` returns."""

    name = id = "stand-in"
    config = config
    summary = summary
    log = staticmethod(log)
    finish = staticmethod(finish)

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        finish()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_absent(f"wandb.run.{name}"))


run = _Run()


def init(*_: Any, config: Mapping[str, Any] | None = None, **__: Any) -> _Run:
    """Start a run: record its settings."""
    if config:
        run.config.update(config)
    return run


def _absent(name: str) -> str:
    return (
        f"{name} is not there: this is a stand-in for wandb with init, log, config, summary and finish only"
    )


def __getattr__(name: str) -> Any:
    raise AttributeError(_absent(f"wandb.{name}"))
