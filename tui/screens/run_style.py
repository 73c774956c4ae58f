"""How a run's screen is laid out, by the room there is."""

from __future__ import annotations

STYLE = """
RunScreen, RunScreen:ansi { background: $background; color: $foreground; }
RunScreen #body { height: 1fr; }
RunScreen #left { width: 100%; height: 1fr; }
RunScreen #right { width: 1fr; height: 1fr; display: none; }
RunScreen #tree { height: 1fr; }
RunScreen #findings, RunScreen #rail { display: none; }
RunScreen #views { height: 1fr; }
RunScreen #views > * { height: 1fr; }
RunScreen.-roomy #keys { height: 2; border-top: solid $line; }
RunScreen.-card #views, RunScreen.-card #tabs { display: none; }
RunScreen.-turned #left { display: none; }
RunScreen.-turned #right { display: block; }
RunScreen.-wide #left, RunScreen.-rail #left {
    width: 40%; min-width: 48; max-width: 68; display: block; border-right: solid $line;
}
RunScreen.-wide #right, RunScreen.-rail #right { display: block; }
RunScreen.-wide #findings { display: block; height: auto; max-height: 40%; }
RunScreen.-rail #rail { display: block; width: 36; border: none; border-left: solid $line; }
RunScreen.-rail #left { width: 34%; }
RunScreen.-zoomed #left, RunScreen.-zoomed #rail { display: none; }
"""
