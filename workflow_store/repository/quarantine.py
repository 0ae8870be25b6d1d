"""``Quarantine``: the methods on records that were put aside."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from workflow_store.database import Session, Sessions, operation, repeated, retried
from workflow_store.errors import InvalidCursor, InvalidField, shown
from workflow_store.ingest.retrial import ReadAgain, Retrial, retry_record
from workflow_store.models.quarantined import Quarantined
from workflow_store.models.report import IngestReport, Page
from workflow_store.queries.parameters import Limits
from workflow_store.queries.quarantine import (
    COUNT_QUARANTINE,
    DELETE_FROM_QUARANTINE,
    FIND_IN_QUARANTINE,
    GET_FROM_QUARANTINE,
    LIST_QUARANTINE,
    PURGE_QUARANTINE,
    QUARANTINE_KEYS,
    to_quarantined,
)
from workflow_store.repository import cursor as cursors
from workflow_store.repository.filters import storable
from workflow_store.repository.listing import check_limit

_KEY_BYTES: Final = 16
_KEY: Final = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_ABBREVIATION: Final = re.compile(r"[0-9a-f]{8,32}", re.IGNORECASE)
_KEYS_AT_ONCE: Final = 500
# The driver takes it for infinity.
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)
_BEHIND_ALL_KEYS: Final = b"\xff" * (_KEY_BYTES + 1)


class Quarantine:
    """Records that could not be stored, each with its reason, its place in the source and its bytes."""

    def __init__(self, sessions: Sessions, limits: Limits, changed: Callable[[], object] = lambda: None) -> None:
        self._sessions = sessions
        self._limits = limits
        self._changed = changed

    @operation
    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        source: str | None = None,
        timeout: float | None = None,
    ) -> Page[Quarantined]:
        """A page of the records without their bytes, the last seen first.

        Args:
            limit: records in the page, 1 to 1,000.
            after: ``next`` of the page before, with the same ``source``.
            source: only records whose source begins with this, such as a file's path.

        Raises:
            InvalidField: a limit or a source that is not allowed.
            InvalidCursor: the cursor is damaged, or of another ``source``.
        """
        begin = _source(source)
        bound = cursors.binding("quarantine", begin)
        seen, key = (_LAST_MOMENT, _BEHIND_ALL_KEYS) if after is None else _place(after, bound)
        most = check_limit(limit)
        async with self._sessions.session() as session:
            rows = await session.fetch(LIST_QUARANTINE, begin, seen, key, most + 1)
        following = None
        if len(rows) > most:
            last = rows[most - 1]
            following = cursors.encode([bound, last.last_seen_at.isoformat(), last.record_hash.hex()])
        return Page(tuple(to_quarantined(row) for row in rows[:most]), following)

    @operation
    async def get(self, id: str, *, timeout: float | None = None) -> Quarantined | None:
        """One record with its bytes; None where there is none.

        Raises:
            InvalidField: it is not 32 hexadecimal digits.
        """
        key = _key(id)
        async with self._sessions.session() as session:
            row = await session.fetch_optional(GET_FROM_QUARANTINE, key)
        return None if row is None else to_quarantined(row)

    @operation
    async def find(self, abbreviation: str, *, timeout: float | None = None) -> str | None:
        """The id that begins with 8 or more hexadecimal digits; None where none does.

        Raises:
            InvalidField: it is no such abbreviation, or the beginning of several.
        """
        _check_digits(_ABBREVIATION, abbreviation, "8 to 32")
        lowest, highest = (bytes.fromhex(abbreviation.ljust(2 * _KEY_BYTES, digit)) for digit in "0f")
        async with self._sessions.session() as session:
            keys = await session.fetch(FIND_IN_QUARANTINE, lowest, highest)
        if len(keys) > 1:
            raise InvalidField("id", f"several records begin with {abbreviation}; give more digits")
        return keys[0].hex() if keys else None

    @operation
    async def count(self, *, source: str | None = None, timeout: float | None = None) -> int:
        """How many records there are.

        Args:
            source: only records whose source begins with this.
        """
        begin = _source(source)
        async with self._sessions.session() as session:
            return await session.fetch_one(COUNT_QUARANTINE, begin)

    @operation
    async def retry(
        self,
        read: ReadAgain,
        ids: Iterable[str] | None = None,
        *,
        source: str | None = None,
        overwrite: bool = False,
        report: IngestReport | None = None,
        timeout: float | None = None,
    ) -> IngestReport:
        """Read the bytes of records again and store what can be stored now; ``retry_quarantine`` reads all that an
        ingest has put aside.

        A record is stored and taken out of quarantine in one transaction. What still can't be stored stays, with the
        reason that it has now; so does a record of which not all bytes were kept.

        Args:
            read: makes workflows of a record's ``raw``, or a ``Rejected`` that says why not. A function of your own
                can mend what is known to be wrong.
            ids: which ones; all where not given.
            source: only records whose source begins with this.
            overwrite: store all of a record, also where its workflow was stored, or seen unchanged, since the record
                was last seen. Without it only parts that are not stored are taken then, and a record with others that
                differ stays in quarantine, since what is stored is newer.
            report: a report to count in, for a caller who wants it even when this raises.

        Returns:
            The counts of an ingest; ``rejected`` are those that stay.

        Raises:
            InvalidField: an id that is not 32 hexadecimal digits.
            ServerError: the server failed; what was stored before stays stored.
        """
        counted = IngestReport() if report is None else report
        keys = None if ids is None else _keys(ids)
        begin = _source(source)
        started = time.monotonic()
        try:
            async for key in self._walk(begin) if keys is None else _given(keys):
                await self._retry(key, read, counted, overwrite=overwrite)
        finally:
            counted.seconds = time.monotonic() - started
            if counted.inserted or counted.updated:
                self._changed()
        return counted

    async def _walk(self, source: str) -> AsyncGenerator[bytes]:
        after = b""
        while True:
            async with self._sessions.session() as session:
                keys = await session.fetch(QUARANTINE_KEYS, source, after, _KEYS_AT_ONCE)
            for key in keys:
                yield key
            if len(keys) < _KEYS_AT_ONCE:
                return
            after = keys[-1]

    async def _retry(self, key: bytes, read: ReadAgain, report: IngestReport, *, overwrite: bool) -> None:
        async def attempt(session: Session) -> Retrial | None:
            return await repeated(session, partial(retry_record, session, key, read, self._limits, overwrite=overwrite))

        retrial = await retried(self._sessions, attempt)
        if retrial is None:
            return  # somebody else has retried or purged it meanwhile
        for outcome, size in retrial.outcomes:
            report.count(outcome)
            report.bytes += size
        for rejected in retrial.kept:
            report.reject(rejected)
        for notice in retrial.notices:
            report.notice(notice)
        report.cleaned += retrial.cleaned
        report.duplicate_keys += retrial.duplicate_keys

    @operation
    async def purge(
        self,
        ids: Iterable[str] | None = None,
        *,
        older_than: timedelta | float | None = None,
        source: str | None = None,
        everything: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Delete records for good; something has to be named.

        Args:
            ids: these.
            older_than: those that were last seen so long ago; a ``timedelta`` or seconds.
            source: those whose source begins with this.
            everything: all of them.

        Returns:
            How many were deleted.

        Raises:
            InvalidField: nothing was named, or ids and something else, or an id that is not 32 hexadecimal digits.
        """
        others = older_than is not None or source is not None or everything
        if ids is None and not others:
            raise InvalidField("ids", "name what to delete: ids, older_than, source or everything=True")
        if ids is not None and others:
            raise InvalidField("ids", "give ids alone, or something else than ids")
        if everything and (older_than is not None or source is not None):
            raise InvalidField("everything", "give it alone, or older_than and source")
        if ids is not None:
            keys = _keys(ids)
            async with self._sessions.session() as session:
                return len(await session.fetch(DELETE_FROM_QUARANTINE, keys))
        begin, age = _source(source), _age(older_than)
        async with self._sessions.session() as session:
            return await session.fetch_one(PURGE_QUARANTINE, begin, age)


async def _given(keys: Iterable[bytes]) -> AsyncGenerator[bytes]:
    for key in keys:
        yield key


def _check_digits(pattern: re.Pattern[str], id: object, number: str) -> None:
    if not isinstance(id, str) or not pattern.fullmatch(id):
        raise InvalidField("id", f"{number} hexadecimal digits, not {shown(id)}")


def _key(id: str) -> bytes:
    _check_digits(_KEY, id, "32")
    return bytes.fromhex(id)


def _keys(ids: Iterable[str]) -> Sequence[bytes]:
    # One text is an iterable of texts, too.
    return [_key(id) for id in dict.fromkeys((ids,) if isinstance(ids, str) else ids)]


def _source(source: object) -> str:
    try:
        return "" if source is None else storable(source)
    except ValueError:
        raise InvalidField("source", f"a text, not {shown(source)}") from None


def _age(older_than: object) -> float:
    age = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
    if age is None:
        return 0.0
    if isinstance(age, bool) or not isinstance(age, int | float) or not 0 <= age <= _LONGEST_AGE:
        raise InvalidField("older_than", f"a time of 0 or more, not {shown(older_than)}")
    return float(age)


# A hundred years: far from what the server can subtract from now.
_LONGEST_AGE: Final = 100 * 366 * 86_400.0


def _place(after: str, bound: str) -> tuple[datetime, bytes]:
    seen, key = cursors.decode(after, bound)
    try:
        return datetime.fromisoformat(seen).astimezone(UTC), _key(key)
    except (TypeError, ValueError, OverflowError, InvalidField):
        raise InvalidCursor("the cursor is damaged") from None
