"""Methods of the queue: what is to be scraped next, and by whom."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from uuid import uuid4

from workflow_store.database import Session, operation
from workflow_store.errors import InvalidField, InvalidRecord, LeaseLost
from workflow_store.models.interchange import validated
from workflow_store.models.report import Claim, Pending
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Limits
from workflow_store.queries.scrapes import (
    CLAIM,
    COMPLETE_SCRAPE,
    ENQUEUE,
    FAIL_SCRAPE,
    HASTEN,
    PENDING,
    SET_ERROR,
    PendingRow,
)
from workflow_store.repository.collections import chunks
from workflow_store.repository.listing import DEFAULT_LIMIT, check_limit
from workflow_store.repository.scope import Scope

_LONGEST: Final = timedelta(days=366).total_seconds()
_KEPT_OF_AN_ERROR: Final = 1_000
# Where others were faster, a scraper looks this many times as far as it needs, and takes some from there.
_SPREAD: Final = 4
_FURTHEST: Final = 4_000


class ScrapeMethods(Scope):
    """Enqueue, claim, complete. The clock is the server's."""

    @operation
    async def enqueue(
        self, ids_and_urls: Iterable[tuple[str, str]], due_at: datetime | None = None, *, timeout: float | None = None
    ) -> int:
        """Put workflows into the queue, before they are first scraped or to be scraped again.

        Without ``due_at`` the new ones are due now; what was scraped before stays out, what is queued stays as it is.
        With it all are queued for then, and what is queued for later is due then. Every 1,000 are a transaction.

        Args:
            ids_and_urls: what to scrape; of a repeated id the last URL counts.
            due_at: when; a time without a zone is UTC.

        Returns:
            How many of them were not in the queue before.

        Raises:
            InvalidField: something else than pairs, or no time, was given.
            InvalidRecord: an id or URL that can't be stored; its place is named.
        """
        if due_at is not None:
            due_at = _moment("due_at", due_at)
        added = 0
        for chunk in chunks(enumerate(ids_and_urls)):
            urls = dict(_pair(place, item, self._limits) for place, item in chunk)
            ids = sorted(urls)
            async with self._sessions.session() as session, session.transaction():
                new = await session.fetch(ENQUEUE, ids, [urls[i] for i in ids], due_at, due_at is not None)
                if due_at is not None:
                    await session.execute(HASTEN, ids, due_at)
            added += len(new)
        return added

    @operation
    async def pending(self, limit: int = DEFAULT_LIMIT, *, timeout: float | None = None) -> tuple[Pending, ...]:
        """What is due and not leased, the longest due first; nothing is changed.

        Raises:
            InvalidField: ``limit`` is not from 1 to 1,000.
        """
        async with self._sessions.session() as session:
            rows = await session.fetch(PENDING, check_limit(limit))
        return tuple(Pending(*row) for row in rows)

    @operation
    async def claim(self, limit: int, lease: timedelta | float, *, timeout: float | None = None) -> tuple[Claim, ...]:
        """Lease up to ``limit`` of what is due, the longest due first, to this caller alone.

        A lease that is not ended by ``complete`` or ``mark_failed`` runs out, and another scraper claims the workflow
        again. Any number of scrapers may claim at once; fewer than ``limit`` come back only where no more is due.

        Args:
            limit: 1 to 1,000.
            lease: for how long, a timedelta or seconds: longer than the slowest scrape takes.

        Raises:
            InvalidField: a bound or duration that is not allowed.
        """
        wanted, seconds = check_limit(limit), _seconds("lease", lease)
        claims: list[Claim] = []
        async with self._sessions.session() as session:
            reach = wanted
            while len(claims) < wanted:
                due = await session.fetch(PENDING, reach)
                if not due:
                    break
                tried = _some(due, wanted - len(claims), first=reach == wanted)
                won = await _lease(session, tried, seconds)
                claims += won
                if len(won) == len(tried) and len(due) < reach:
                    break
                # Others claim here as well: further from the head, and at random, two seldom want the same.
                reach = min(max(reach, wanted) * _SPREAD, _FURTHEST)
        return tuple(sorted(claims, key=lambda claim: (claim.due_at, claim.workflow_id)))

    @operation
    async def complete(
        self, workflow_id: str, token: str, next_due_at: datetime | None = None, *, timeout: float | None = None
    ) -> None:
        """End the lease of a scrape that went well; the count of its retries starts anew.

        In one transaction with the ``upsert_workflow`` before it, the result of a scraper whose lease was lost is not
        stored.

        Args:
            token: that of the claim.
            next_due_at: when to scrape it again; None takes it out of the queue.

        Raises:
            LeaseLost: another scraper has claimed it since.
        """
        due_at = None if next_due_at is None else _moment("next_due_at", next_due_at)
        async with self._sessions.session() as session:
            await complete_scrape(session, workflow_id, token, due_at)

    @operation
    async def mark_failed(
        self,
        workflow_id: str,
        error: str,
        *,
        url: str | None = None,
        token: str | None = None,
        retry_after: timedelta | float | None = None,
        timeout: float | None = None,
    ) -> Pending:
        """Note that a scrape failed, count the retry, and set when to try again.

        The error becomes the ``error_message`` of the workflow where it is stored; the queue remembers its first 1,000
        characters of any other, too. The next try is after a minute, doubled with each retry up to a day.

        Args:
            url: where it is; what is known of it stays where it is not given.
            token: that of the claim, whose lease ends; without one a lease stays.
            retry_after: when to try again, a timedelta or seconds from now.

        Returns:
            Its entry in the queue.

        Raises:
            LeaseLost: another scraper has claimed it since; nothing was noted.
            InvalidField: a duration that is not allowed.
            InvalidRecord: an id, URL or error that can't be stored.
        """
        seconds = None if retry_after is None else _seconds("retry_after", retry_after)
        given = {"workflow_id": workflow_id, "url": "-" if url is None else url, "error_message": error}
        encode(validated(given), self._limits, datetime.now(UTC))
        if not isinstance(cast("object", error), str):
            raise InvalidRecord("error_message", "text is expected, not None")
        async with self._sessions.session() as session, session.transaction():
            await session.execute(SET_ERROR, workflow_id, error)
            entry = await session.fetch_optional(
                FAIL_SCRAPE, workflow_id, url, error[:_KEPT_OF_AN_ERROR], token, seconds
            )
            if entry is None:
                raise LeaseLost(workflow_id)
        return Pending(*entry)


async def complete_scrape(
    session: Session, workflow_id: str, token: str, next_due_at: datetime | None, retry_count: int | None = None
) -> None:
    """End a lease, as the last statement of a transaction that stored what was scraped.

    Args:
        retry_count: what the record says of it; None counts anew.

    Raises:
        LeaseLost: the token is not that of the lease; the transaction is to be rolled back.
    """
    if await session.fetch_optional(COMPLETE_SCRAPE, workflow_id, token, next_due_at, retry_count) is None:
        raise LeaseLost(workflow_id)


async def _lease(session: Session, due: Sequence[PendingRow], seconds: float) -> list[Claim]:
    # In the order of the ids: two scrapers that want the same wait for each other, and never in a circle.
    attempts = [(workflow_id, str(uuid4()), seconds) for workflow_id in sorted(row.workflow_id for row in due)]
    return [Claim(*row) for row in await session.fetch_many(CLAIM, attempts)]


def _some(due: list[PendingRow], number: int, *, first: bool) -> Sequence[PendingRow]:
    return due[:number] if first or len(due) <= number else random.sample(due, number)


def _pair(place: int, item: Any, limits: Limits) -> tuple[str, str]:
    if not isinstance(item, tuple | list) or len(cast("Sequence[Any]", item)) != 2:
        raise InvalidField("ids_and_urls", f"pairs of an id and a URL are expected, not {item!r:.200}")
    try:
        record = encode(validated({"workflow_id": item[0], "url": item[1]}), limits, datetime.now(UTC))
    except InvalidRecord as error:
        raise InvalidRecord(f"ids_and_urls.{place}.{error.field}", error.reason) from None
    return record.workflow_id, record.workflow.url


def _moment(name: str, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise InvalidField(name, f"a datetime is expected, not {type(value).__name__}")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def _seconds(name: str, value: Any) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST:
        raise InvalidField(name, f"more than 0 and at most 366 days are expected, not {value!r}")
    return float(seconds)
