"""``WorkflowStore``: the repository that owns a pool."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from workflow_store import schema
from workflow_store.database import (
    Borrowable,
    BorrowedOne,
    Database,
    HeldSession,
    Isolation,
    PoolStatistics,
    Session,
    borrowed,
    operation,
    watched,
)
from workflow_store.database.connections import MaskedDsn
from workflow_store.database.faults import translated
from workflow_store.database.operation import seconds
from workflow_store.embedded import EmbeddedServer, archive_options
from workflow_store.errors import SchemaMissing, SchemaOutdated, StoreClosed
from workflow_store.ingest import (
    BulkIngest,
    IngestOptions,
    Mode,
    OnError,
    Progress,
    SearchIndexer,
    Source,
    Writer,
    WriterOptions,
)
from workflow_store.media import Media, MediaOptions
from workflow_store.models.report import IngestReport
from workflow_store.models.search import SearchLag
from workflow_store.queries.catalogue import PING, SERVER_FACTS
from workflow_store.queries.parameters import Limits
from workflow_store.queries.search import SEARCH_LAG
from workflow_store.repository import Repository, Transaction
from workflow_store.repository.listing import whole_number
from workflow_store.settings import Settings
from workflow_store.telemetry.watching import count

_log = logging.getLogger("workflow_store.store")


class _NotOpen:
    """Stands where the pool will be."""

    parallel: bool = False

    def session(self) -> AbstractAsyncContextManager[Session]:
        raise StoreClosed("the store is not open; use `async with WorkflowStore.open() as store`")

    def holds(self, pid: int) -> bool:
        return False


class WorkflowStore(Repository):
    """Scraped workflows on one PostgreSQL server.

    ``async with WorkflowStore.open() as store`` connects to ``WORKFLOW_STORE_DSN``; without one it starts the embedded
    server, or joins the one that runs, and makes the schema there if need be. ``async with WorkflowStore.on(pool)``
    works on a pool or connection that is there already.
    """

    def __init__(self, settings: Settings, given: Borrowable | None = None) -> None:
        super().__init__(
            _NotOpen(),
            Limits(settings.max_document_bytes, settings.max_json_depth, settings.nul),
            self._wake_the_indexer,
        )
        self.settings = settings
        self._given = given
        self._wait: float | None = None
        self._database: Database | BorrowedOne | None = None
        self._embedded: EmbeddedServer | None = None
        self._indexer: SearchIndexer | None = None
        self._media: Media | None = None

    @classmethod
    def open(cls, settings: Settings | None = None, *, wait: float | None = None, **overrides: Any) -> Self:
        """A store to be entered with ``async with``, or awaited and closed by hand.

        Args:
            settings: how to connect; read from the environment and the settings file where not given.
            wait: for how many seconds to try again on entering while the server is away; without it, it is asked once.
            overrides: single settings by name, such as ``dsn="postgresql://…"``.

        Raises:
            SettingsError: a setting can't be used.
            ServerUnavailable: on entering: nothing answers there, in that time.
            SchemaError: on entering: the schema is not there, or not the one this version needs.
        """
        store = cls(Settings.chosen(settings, overrides))
        store._wait = None if wait is None else seconds("wait", wait)
        return store

    @classmethod
    def on(
        cls,
        source: Borrowable,
        settings: Settings | None = None,
        **overrides: Any,
    ) -> Self:
        """A store on a pool or connection of yours, which is given back as it was and never closed.

        Your codec for ``jsonb`` and your record class stay yours: ours are there while a statement of ours is sent. A
        transaction that is open on a connection is used as it is, and ours in it are savepoints. On one connection one
        thing is done at a time: an ingest or a writer has one batch in flight, and search documents are made by
        ``refresh_search`` alone.

        Args:
            source: a pool of asyncpg that is initialised, or a connection, from a pool or not.
            settings: limits, media and the like, as for ``open``; how to connect is not asked.
            overrides: single settings by name.

        Raises:
            SettingsError: a setting can't be used.
            ConnectionUnusable: on entering or later: it is closed, in use by another task or of another event loop.
            SchemaError: on entering: the schema is not there, or not the one this version needs; it is left alone.
        """
        return cls(Settings.chosen(settings, overrides), source)

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    async def _start(self) -> None:
        if self._database is not None:
            raise StoreClosed("the store was opened before; open a new one")
        try:
            if self._given is None:
                dsn = await self._dsn()
                self._database = await Database.open(dsn, self.settings, wait=self._wait)
                await self._look_at_the_server(dsn)
            else:
                self._database = borrowed(self._given, self.settings)
                await self._look_at_the_schema()
        except BaseException:
            await self.close()
            raise
        self._sessions = self._database
        self._indexer = SearchIndexer(self._database)

    async def _dsn(self) -> str:
        if self.settings.dsn is not None:
            return MaskedDsn(self.settings.dsn.get_secret_value())
        self._embedded = await EmbeddedServer.open(self.settings.data_dir, options=archive_options(self.settings))
        _say_once(self._embedded.describe())
        return self._embedded.dsn

    async def _look_at_the_schema(self) -> None:
        assert self._database is not None
        # In a transaction of the caller's a savepoint: where there is no schema, asking for it is a failed statement.
        async with self._database.session() as session, session.transaction():
            with translated():
                await schema.check(session.connection)

    async def _look_at_the_server(self, dsn: str) -> None:
        assert self._database is not None
        async with self._database.session() as session:
            try:
                await schema.check(session.connection)
                behind = False
            except (SchemaMissing, SchemaOutdated):
                # Nobody else looks after the embedded server's schema.
                if self._embedded is None:
                    raise
                behind = True
            facts = await session.fetch_one(SERVER_FACTS)
        if behind:
            await schema.migrate(dsn, compression=self.settings.compression, language=self.settings.language)
        if not (facts.fsync and facts.full_page_writes and facts.synchronous_commit != "off"):
            _log.warning(
                "%s may lose commits it has acknowledged: fsync, full_page_writes or synchronous_commit is off",
                self._database.address,
            )

    async def close(self) -> None:
        """Give all connections back and the embedded server up; may be called again."""
        database, self._sessions = self._database, _NotOpen()
        try:
            if self._indexer is not None:
                await self._indexer.close()
            if database is not None:
                await database.close()
        finally:
            embedded, self._embedded = self._embedded, None
            if embedded is not None:
                await embedded.aclose()

    @property
    def address(self) -> str:
        """Host, port and database in use, without a secret."""
        return self._opened().address

    @property
    def media(self) -> Media:
        """The media files of the workflows."""
        self._opened()
        if self._media is None:
            self._media = Media(self._sessions, MediaOptions.of(self.settings))
        return self._media

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False, timeout: float | None = None
    ) -> AsyncGenerator[Transaction]:
        """All methods on one connection, ``media`` among them, committed together at the end.

        Raises:
            CommitUnknown: the connection was lost around COMMIT.
        """
        async with self._begun(isolation, timeout, readonly=readonly) as session:
            yield Transaction(HeldSession(session), self._limits, lambda: self.media)
        self._changed()

    @operation
    async def ping(self, *, timeout: float | None = None) -> float:
        """Ask the server for a sign of life, over a connection of the pool; the seconds that the answer took.

        Raises:
            ServerError: there is none.
        """
        async with self._sessions.session() as session:
            asked = time.monotonic()
            await session.fetch_one(PING)
            return time.monotonic() - asked

    def get_pool_statistics(self) -> PoolStatistics:
        """The pool's counts; nothing is sent."""
        return self._opened().statistics()

    @watched
    async def ingest(
        self,
        source: Source,
        *,
        mode: Mode = "upsert",
        on_error: OnError = "quarantine",
        batch_size: int | None = None,
        connections: int | None = None,
        replace: bool = False,
        touch: bool = True,
        progress: Progress | None = None,
        report: IngestReport | None = None,
        timeout: float | None = None,
        refresh: bool = False,
    ) -> IngestReport:
        """Store all workflows of a source: new ones by COPY, changed parts merged, unchanged parts left alone.

        A batch is one transaction, and several are in flight; memory is bounded by their size, whatever the source's
        length. The same id again is folded part by part, the last one winning.

        Args:
            source: an iterable or async iterable of ``Workflow``, or of what ``read_path`` yields.
            mode: what to do with a workflow that is stored already: ``"upsert"`` merges it, ``"skip"`` leaves it wholly
                alone, ``"insert"`` refuses it, as ``on_error`` says.
            on_error: ``"quarantine"`` puts a record that can't be stored aside and goes on; ``"raise"`` stops there,
                with nothing of its batch stored.
            batch_size: records in a transaction; ``batch_size`` of the settings where not given.
            connections: batches in flight; ``ingest_connections`` of the settings where not given.
            replace: parts that are None are deleted instead of kept.
            touch: note that unchanged workflows were seen; False leaves them wholly alone.
            progress: called with the report after each batch.
            report: a report to count in, for a caller who wants it even when this raises.
            timeout: seconds for all but the refresh; None is no limit.
            refresh: also wait until the long texts of what was stored can be searched (``refresh_search``).

        Raises:
            IngestError: a record was refused and ``on_error`` is ``"raise"``; it carries the report and the position.
            CommandTimeout: it did not end within ``timeout``; committed batches stay.
            InvalidField: an option that is none of these.
            ServerError: the server failed; committed batches stay.
            Exception: whatever the source raises passes through; committed batches stay.
        """
        self._opened()
        options = IngestOptions(
            limits=self._limits,
            batch_size=_given("batch_size", batch_size, self.settings.batch_size),
            connections=self._lanes(connections),
            mode=mode,
            on_error=on_error,
            timeout=timeout,
            replace=replace,
            touch=touch,
            patience=self.settings.retry_timeout,
        )
        counted = IngestReport() if report is None else report
        try:
            await BulkIngest(self._sessions, options, counted, progress).run(source)
        finally:
            if counted.inserted or counted.updated:
                self._wake_the_indexer()
        if refresh:
            await self.refresh_search()
        return counted

    @asynccontextmanager
    async def writer(
        self,
        *,
        batch_size: int | None = None,
        connections: int | None = None,
        max_delay: float = 0.0,
        max_waiting: int = 1_000,
        replace: bool = False,
        touch: bool = True,
    ) -> AsyncGenerator[Writer]:
        """A writer for many tasks: each awaits ``put`` of its own record, and what waits is committed together.

        Args:
            batch_size: records in a group; ``batch_size`` of the settings where not given.
            connections: groups in flight; ``ingest_connections`` of the settings where not given.
            max_delay: seconds to gather before a group that is not full; 0 is no timer at all, since a group is what
                arrived while the last one was being written.
            max_waiting: puts beyond this number wait for room.
            replace: parts that are None are deleted instead of kept.
            touch: note that unchanged workflows were seen; False leaves them wholly alone.
        """
        self._opened()
        options = WriterOptions(
            limits=self._limits,
            batch_size=_given("batch_size", batch_size, self.settings.batch_size),
            connections=self._lanes(connections),
            max_delay=max_delay,
            max_waiting=whole_number("max_waiting", max_waiting, 1),
            replace=replace,
            touch=touch,
            patience=self.settings.retry_timeout,
        )
        async with Writer(self._sessions, options, self._wake_the_indexer) as writer:
            yield writer

    @operation
    async def refresh_search(self, *, timeout: float | None = None) -> int:
        """Wait until the long texts of everything stored so far can be searched.

        A store does this by itself, a little behind what is stored; titles and short texts are found at once.

        Returns:
            The number of documents made by this call.
        """
        self._opened()
        assert self._indexer is not None
        return await self._indexer.refresh()

    @operation
    async def get_search_lag(self, *, timeout: float | None = None) -> SearchLag:
        """How many workflows are found by their titles and short texts only so far, and since when."""
        async with self._sessions.session() as session:
            lag = SearchLag(*await session.fetch_one(SEARCH_LAG))
        count("search_pending", lag.pending)
        return lag

    def _lanes(self, connections: int | None) -> int:
        lanes = _given("connections", connections, self.settings.ingest_connections)
        return lanes if self._opened().parallel else 1

    def _wake_the_indexer(self) -> None:
        # A single connection is the caller's between two calls.
        parallel = self._database is not None and self._database.parallel
        if self._indexer is not None and parallel and self.settings.search_refresh == "background":
            self._indexer.wake()

    def _opened(self) -> Database | BorrowedOne:
        if self._database is None or isinstance(self._sessions, _NotOpen):
            raise StoreClosed("the store is not open; use `async with WorkflowStore.open() as store`")
        return self._database


def _given(name: str, value: int | None, setting: int) -> int:
    return setting if value is None else whole_number(name, value, 1)


_said: set[str] = set()


def _say_once(line: str) -> None:
    if line not in _said:
        _said.add(line)
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
