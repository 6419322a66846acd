"""Documents that configure no plugin: what each kind is, and what configures one today."""

from __future__ import annotations

from simwasm.config.fields import shown
from simwasm.config.tree import Node

NO_PLUGIN = "configures no plugin"


def explained(node: Node, briefly: bool) -> str:
    """Why a document deploys nothing."""
    return f"{node.place}: {shown('this')} {NO_PLUGIN}"
