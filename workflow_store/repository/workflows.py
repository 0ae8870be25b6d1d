"""Methods on one workflow."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from workflow_store.database import Session, operation, retried
from workflow_store.errors import AlreadyExists, CommitUnknown
from workflow_store.ingest import Resolution, create_one, resolve, write_one
from workflow_store.models.report import Outcome
from workflow_store.models.workflow import PARTS, Part, Workflow
from workflow_store.queries import catalogue
from workflow_store.queries.encoding import encode_one
from workflow_store.queries.rows import to_workflow
from workflow_store.repository.listing import check_parts
from workflow_store.repository.scope import Scope
from workflow_store.repository.scrapes import complete_scrape


class WorkflowMethods(Scope):
    """Create, upsert, get and delete."""

    # One that was new is mostly followed by another.
    _expects_new = False

    @operation
    async def create_workflow(self, workflow: Workflow, *, timeout: float | None = None) -> None:
        """Store a workflow that is not there yet, with all its parts, in one statement.

        Raises:
            AlreadyExists: its id is stored.
            InvalidRecord: it can't be stored; the field is named.
        """
        record = encode_one(workflow, self._limits)
        async with self._sessions.session() as session:
            if not await create_one(session, record):
                raise AlreadyExists(workflow.workflow_id)
        self._changed()

    @operation
    async def upsert_workflow(
        self,
        workflow: Workflow,
        *,
        replace: bool = False,
        touch: bool = True,
        token: str | None = None,
        next_due_at: datetime | None = None,
        timeout: float | None = None,
    ) -> Outcome:
        """Store a workflow, or merge it into the stored one part by part.

        Args:
            replace: parts that are None are deleted instead of kept.
            touch: note that an unchanged workflow was seen; False leaves it wholly alone.
            token: that of the claim this scrape was made under; its lease ends in the same transaction.
            next_due_at: with a token, when to scrape the workflow again; None takes it out of the queue.

        Returns:
            ``"inserted"``, ``"updated"`` or ``"unchanged"``.

        Raises:
            InvalidRecord: it can't be stored; the field is named.
            LeaseLost: another scraper has claimed the workflow since; nothing is stored.
        """
        record = encode_one(workflow, self._limits)

        async def write(session: Session) -> Outcome:
            if token is None:
                return await write_one(session, record, replace=replace, touch=touch, expects_new=self._expects_new)
            async with session.transaction():
                outcome = await write_one(session, record, replace=replace, touch=touch)
                await complete_scrape(session, record.workflow_id, token, next_due_at, record.retry_count)
                return outcome

        outcome = await retried(self._sessions, write)
        self._expects_new = outcome == "inserted" if token is None else self._expects_new
        if outcome != "unchanged":
            self._changed()
        return outcome

    @operation
    async def resolve(
        self, workflow: Workflow, doubt: CommitUnknown, *, replace: bool = False, timeout: float | None = None
    ) -> Resolution:
        """What became of a create, an upsert or a put of a workflow that ended in doubt.

        Args:
            doubt: the error it ended with.
            replace: as it was given to the upsert.

        Returns:
            ``"stored"``: all that the workflow has is there. ``"missing"``: it is not, and nobody has written it since,
            so that the write may be repeated. ``"unknown"``: something else is there by now, or the server is still at
            work on it, or it may still be on its way there: until the server notices that the connection is gone.
        """
        record = encode_one(workflow, self._limits)
        async with self._sessions.session() as session:
            (resolution,) = await resolve(session, [record], doubt, self._sessions.holds, replace=replace)
        return resolution

    @operation
    async def get_workflow(
        self, workflow_id: str, *, include: Collection[Part] = PARTS, timeout: float | None = None
    ) -> Workflow | None:
        """The workflow with the parts that are asked for, in one round trip; None where there is none.

        Raises:
            InvalidField: ``include`` names something that is no part.
        """
        asked = check_parts(include, PARTS)
        async with self._sessions.session() as session:
            row = await session.fetch_optional(
                catalogue.GET_WORKFLOW,
                workflow_id,
                "metadata" in asked,
                "structure" in asked,
                "content" in asked,
                "transcripts" in asked,
            )
        return None if row is None else to_workflow(row, transcripts="transcripts" in asked)

    @operation
    async def delete_workflow(self, workflow_id: str, *, timeout: float | None = None) -> bool:
        """Delete a workflow with its parts and media links; whether it was there."""
        async with self._sessions.session() as session:
            return await session.fetch_one(catalogue.DELETE_WORKFLOW, workflow_id)
