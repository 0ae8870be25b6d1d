"""The workflows that are measured with, and what a later scrape makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from workflow_store import Workflow
from workflow_store.importers import read_path
from workflow_store.samples import generate

EVERY_TENTH = 10


def corpus(path: Path, count: int) -> Iterator[Workflow]:
    """The first ``count`` workflows of a file or folder that the importers read, one of each id."""
    return islice(_distinct(record for record in read_path(path) if isinstance(record, Workflow)), count)


def _distinct(given: Iterable[Workflow]) -> Iterator[Workflow]:
    known: set[str] = set()
    for workflow in given:
        if workflow.workflow_id not in known:
            known.add(workflow.workflow_id)
            yield workflow


def workflows(count: int, *, start: int = 0, source: Path | None = None) -> list[Workflow]:
    """Workflows in memory: generated, or of a file, which may hold fewer."""
    if source is None:
        return list(generate(count, start=start))
    return list(islice(corpus(source, start + count), start, None))


def with_more_views(given: Sequence[Workflow]) -> list[Workflow]:
    """The same workflows a little later: all that changed is how often their pages were seen."""
    return [
        workflow
        if workflow.metadata is None
        else workflow.model_copy(
            update={"metadata": workflow.metadata.model_copy(update={"views": (workflow.metadata.views or 0) + 1})}
        )
        for workflow in given
    ]


def with_a_tenth_changed(given: Sequence[Workflow]) -> list[Workflow]:
    """The same workflows, of which every tenth has another title and the structure of its neighbour."""
    changed = list(given)
    for place in range(0, len(given), EVERY_TENTH):
        workflow, neighbour = given[place], given[place - 1]
        update: dict[str, object] = {}
        if workflow.metadata is not None:
            title = f"{workflow.metadata.title or ''} (new)"
            update["metadata"] = workflow.metadata.model_copy(update={"title": title})
        if workflow.structure is not None and neighbour.structure is not None:
            update["structure"] = neighbour.structure
        changed[place] = workflow.model_copy(update=update)
    return changed
