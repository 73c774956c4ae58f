"""Collecting garbage seldom, and only once the first screen is shown."""

from __future__ import annotations

import gc

SELDOM = (5_000, 20, 50)
"""New objects before the youngest are looked at; how often that happens before older ones are; and those
before all are."""


def collect_again() -> None:
    """Collect garbage again; what was made up to the first screen stays and is left out.

    A full collection looks at everything that a run's state is made of, which takes as long as painting the
    screen. Next to nothing here is garbage that only a collection finds, so that it is seldom done.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(*SELDOM)
        gc.enable()
