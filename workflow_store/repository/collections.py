"""Methods on many workflows that are named by their ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar, cast

from workflow_store.database import operation
from workflow_store.errors import InvalidField
from workflow_store.models.workflow import PARTS, Part, Workflow
from workflow_store.queries import catalogue
from workflow_store.queries.collections import EXISTING_WORKFLOWS, GET_WORKFLOWS
from workflow_store.queries.rows import to_workflow
from workflow_store.repository.listing import check_parts
from workflow_store.repository.scope import Scope

# Ids in one statement.
CHUNK: Final = 1_000

Item = TypeVar("Item")


class CollectionMethods(Scope):
    """Get, delete and look up by ids. Any number of ids may be given; a repeated one counts once."""

    @operation
    async def get_workflows(
        self, ids: Iterable[str], *, include: Collection[Part] = PARTS, timeout: float | None = None
    ) -> dict[str, Workflow]:
        """The workflows by id, in the order in which they were asked for; what is not stored is not in it.

        Up to 1,000 ids are one statement; more are several, which see later states unless they are inside a
        ``repeatable_read`` transaction.

        Raises:
            InvalidField: ``include`` names something that is no part, or the ids are not strings.
        """
        asked = check_parts(include, PARTS)
        wanted = distinct_ids(ids)
        found: dict[str, Workflow] = {}
        async with self._sessions.session() as session:
            for chunk in chunks(wanted):
                rows = await session.fetch(
                    GET_WORKFLOWS,
                    chunk,
                    "metadata" in asked,
                    "structure" in asked,
                    "content" in asked,
                    "transcripts" in asked,
                )
                found |= {row.workflow_id: to_workflow(row, transcripts="transcripts" in asked) for row in rows}
        return {workflow_id: found[workflow_id] for workflow_id in wanted if workflow_id in found}

    @operation
    async def delete_workflows(self, ids: Iterable[str], *, timeout: float | None = None) -> int:
        """Delete workflows with all that belongs to them, in one transaction; how many of them were there.

        Raises:
            InvalidField: the ids are not strings.
        """
        # In the order of the ids, as every writer takes its locks.
        wanted = sorted(distinct_ids(ids))
        deleted = 0
        if not wanted:
            return deleted
        async with self._sessions.session() as session, session.transaction():
            for chunk in chunks(wanted):
                rows = [(workflow_id,) for workflow_id in chunk]
                deleted += sum(await session.fetch_many(catalogue.DELETE_WORKFLOW, rows))
        return deleted

    @operation
    async def exists(self, ids: Iterable[str], *, timeout: float | None = None) -> set[str]:
        """Those of the ids that are stored.

        Raises:
            InvalidField: the ids are not strings.
        """
        found: set[str] = set()
        async with self._sessions.session() as session:
            for chunk in chunks(distinct_ids(ids)):
                found.update(await session.fetch(EXISTING_WORKFLOWS, chunk))
        return found


def distinct_ids(ids: Iterable[Any]) -> list[str]:
    """The ids without repetitions, in their order, without those that no key could be.

    Raises:
        InvalidField: one of them is not a str, or one str is given in place of many.
    """
    if isinstance(ids, str | bytes) or not isinstance(cast("object", ids), Iterable):
        raise InvalidField("ids", f"an iterable of ids is expected, not {type(ids).__name__}")
    distinct: dict[str, None] = {}
    for workflow_id in ids:
        if not isinstance(workflow_id, str):
            raise InvalidField("ids", f"an id is a str, not {type(workflow_id).__name__}")
        if _may_be_stored(workflow_id):
            distinct[workflow_id] = None
    return list(distinct)


def chunks(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    """At most 1,000 at a time."""
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _may_be_stored(workflow_id: str) -> bool:
    # The server refuses a NUL and the driver half a character, where the answer is only that there is no such workflow.
    return "\x00" not in workflow_id and not any("\ud800" <= character <= "\udfff" for character in workflow_id)
