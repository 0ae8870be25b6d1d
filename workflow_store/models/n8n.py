"""What is counted in an n8n workflow: nodes, edges, node types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow_store.models.fields import is_list, is_object


def node_count(workflow: Mapping[str, Any]) -> int | None:
    """Nodes of the workflow, sticky notes among them; None where it has no list of nodes."""
    nodes = workflow.get("nodes")
    return len(nodes) if is_list(nodes) else None


def node_types(workflow: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The distinct types of the nodes, sorted; None where it has no list of nodes."""
    nodes = workflow.get("nodes")
    if not is_list(nodes):
        return None
    found = {node.get("type") for node in nodes if is_object(node)}
    return tuple(sorted(name for name in found if isinstance(name, str)))


def connection_count(workflow: Mapping[str, Any]) -> int | None:
    """Edges of the workflow: every target of every output, of whatever kind; None where it has no connections.

    ``connections`` is node name → output kind → list of outputs → list of targets. Outputs that lead nowhere are
    written as null or as an empty list; neither is an edge.
    """
    connections = workflow.get("connections")
    if not is_object(connections):
        return None
    edges = 0
    for kinds in connections.values():
        if not is_object(kinds):
            continue
        for outputs in kinds.values():
            if not is_list(outputs):
                continue
            for targets in outputs:
                if is_list(targets):
                    edges += sum(is_object(target) for target in targets)
                else:
                    # Written by hand, an output with one target is sometimes that target itself.
                    edges += is_object(targets)
    return edges
