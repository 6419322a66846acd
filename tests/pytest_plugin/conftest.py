"""Projects to run pytest on."""

from __future__ import annotations

from projects import imported, project

__all__ = ["imported", "project"]
