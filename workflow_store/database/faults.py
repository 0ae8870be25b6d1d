"""The one place where what the driver and the server raise becomes the library's own errors, by SQLSTATE."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, TypeGuard

import asyncpg

from workflow_store import errors

_BY_STATE: Final[dict[str, type[errors.ServerError]]] = {
    "40001": errors.ConcurrencyConflict,
    "40P01": errors.ConcurrencyConflict,
    # A pooler lost track of which statements its connections have prepared; nothing was done.
    "26000": errors.ConcurrencyConflict,
    "42P05": errors.ConcurrencyConflict,
    "40003": errors.CommitUnknown,
    "08007": errors.CommitUnknown,
    "55P03": errors.LockTimeout,
    "57014": errors.CommandTimeout,
    "57P01": errors.ServerUnavailable,
    "57P02": errors.ServerUnavailable,
    "57P03": errors.ServerUnavailable,
    "57P04": errors.ServerUnavailable,
    "57P05": errors.ServerUnavailable,
    "25006": errors.ReadOnly,
    "25P03": errors.CommandTimeout,
    "25P04": errors.CommandTimeout,
    "42501": errors.PermissionDenied,
}
_BY_CLASS: Final[dict[str, type[errors.ServerError]]] = {
    "08": errors.ServerUnavailable,
    "23": errors.IntegrityViolation,
    "28": errors.PermissionDenied,
    "53": errors.ResourceError,
    "58": errors.ResourceError,
}
_FAILED_OVER: Final = frozenset(("25006", "57P01", "57P02", "57P03"))
# A record, not the statement, is at fault: data exceptions, a check, a row or an index entry that is too large.
_RECORD_CLASSES: Final = frozenset(("22",))
_RECORD_STATES: Final = frozenset(("23502", "23514", "54000", "54001"))


_IN_DOUBT: Final = "a write was under way"
_WAITING: Final = "there was no connection yet"


def translate(error: BaseException) -> errors.StoreError | None:
    """The library's error for a driver's, or None where it is not one of the driver's or the network's."""
    if isinstance(error, asyncpg.PostgresError):
        return _of_the_server(error)
    if isinstance(error, asyncpg.InternalClientError):
        return errors.ServerUnavailable(f"the connection is unusable: {error}")
    if isinstance(error, asyncpg.InterfaceError):
        text = str(error)
        if "closed" in text or "closing" in text or "released" in text:
            return errors.ServerUnavailable(f"the connection was lost: {text}")
        if "another operation" in text:
            return errors.ConnectionUnusable(f"the connection is in use by another task: {text}")
        return errors.StatementRejected(text)
    if isinstance(error, TimeoutError):
        return errors.CommandTimeout("no answer from the server within the deadline")
    if isinstance(error, ssl.SSLError):
        return errors.ServerUnavailable(f"no secure connection: {error}")
    if isinstance(error, OSError):
        return errors.ServerUnavailable(f"no connection to the server: {error}")
    return None


def _of_the_server(error: asyncpg.PostgresError) -> errors.ServerError:
    state = error.sqlstate or ""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        # A migration changed a table since the statement was prepared; the driver prepares it anew the next time.
        return errors.ConcurrencyConflict(f"{error.message or error} [{state}]", state)
    kind = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or errors.StatementRejected
    message = f"{error.message or error} [{state}]" if state else str(error)
    if kind is errors.IntegrityViolation:
        return errors.IntegrityViolation(message, state, error.constraint_name)
    return kind(message, state or None)


def is_record_fault(error: errors.StoreError) -> bool:
    """Whether one of the records in a batch is to blame, so that the others can be stored without it."""
    state = error.sqlstate if isinstance(error, errors.ServerError) else None
    return state is not None and (state[:2] in _RECORD_CLASSES or state in _RECORD_STATES)


def fields(error: errors.StoreError) -> dict[str, str | None]:
    """What a log record says of an error, beside its text."""
    return {"error": type(error).__name__, "sqlstate": getattr(error, "sqlstate", None)}


def has_failed_over(error: errors.ServerError) -> bool:
    """Whether the server stopped or became a standby, so that all connections to it are of no more use."""
    return error.sqlstate in _FAILED_OVER


def is_race(error: errors.StoreError) -> bool:
    """Whether another writer inserted (23505) or deleted (23503) one of the batch's ids meanwhile."""
    return isinstance(error, errors.IntegrityViolation) and error.sqlstate in ("23505", "23503")


def translated(
    *, in_doubt: bool = False, began: float | None = None, pid: int | None = None
) -> AbstractContextManager[None]:
    """Raise the library's errors in place of the driver's.

    Args:
        in_doubt: whether what is sent in the block may be stored although no answer comes: a COMMIT, or a write outside
            a transaction.
        began: when what is in doubt began, by the monotonic clock; now, where not given.
        pid: the server process that is at work on it.
    """
    return _Doubtful(time.monotonic() if began is None else began, pid) if in_doubt else _CERTAIN


class _Translated(AbstractContextManager[None]):
    """A class, not a generator, which costs thrice as much, and every statement is sent in one."""

    __slots__ = ()

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        known = None if error is None else translate(error)
        if known is not None:
            raise known from error


_CERTAIN: Final = _Translated()


class _Doubtful(_Translated):
    __slots__ = ("_began", "_pid")

    def __init__(self, began: float, pid: int | None) -> None:
        self._began = began
        self._pid = pid

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            raise cancelled_in_doubt(self._pid) from None
        known = None if error is None else translate(error)
        if known is None:
            return
        # What the driver itself refuses was never sent.
        if has_no_answer(known) and not isinstance(error, asyncpg.InterfaceError):
            reason = f"the answer was lost: {known}"
            raise errors.CommitUnknown(reason, known.sqlstate, began=self._began, pid=self._pid) from error
        raise known from error


def has_no_answer(error: errors.StoreError) -> TypeGuard[errors.ServerError]:
    """Whether the server did not say what became of the statement."""
    if isinstance(error, errors.CommandTimeout):
        # With a state the server cancelled it itself.
        return error.sqlstate is None
    return isinstance(error, errors.ServerUnavailable)


def cancelled_in_doubt(pid: int | None = None, work: errors.Work | None = None) -> asyncio.CancelledError:
    """A cancellation that says: the write that was under way may be stored, or is by ``work`` that goes on."""
    return asyncio.CancelledError(_IN_DOUBT, pid, work)


def cancelled_waiting(numbers: str) -> asyncio.CancelledError:
    """A cancellation that says: there was no connection yet."""
    return asyncio.CancelledError(_WAITING, numbers)


def what_was_cancelled(cancelled: BaseException | None, message: str, began: float) -> errors.ServerError:
    """The error for a call that its deadline has cancelled, by what it was about to do."""
    match cancelled:
        case asyncio.CancelledError(args=(mark, pid, work)) if mark == _IN_DOUBT:
            reason = f"{message}; a write was under way, and its answer had not come"
            return errors.CommitUnknown(reason, began=began, pid=pid, work=work)
        case asyncio.CancelledError(args=(mark, numbers)) if mark == _WAITING:
            return errors.PoolTimeout(f"{message}; {numbers}")
        case _:
            return errors.CommandTimeout(message)
