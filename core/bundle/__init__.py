"""A run as one folder or one zip file, for others to read, check and keep: ``fumehood export``."""

from __future__ import annotations

from core.bundle.export import Exported, export_run

__all__ = ["Exported", "export_run"]
