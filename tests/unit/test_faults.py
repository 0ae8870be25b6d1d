"""What the driver and the server raise, and the error of the library that callers see."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import asyncpg
import pytest

from workflow_store import errors
from workflow_store.database.connections import MaskedDsn, address
from workflow_store.database.faults import is_race, is_record_fault, translate, translated

STATES: list[tuple[str, type[errors.ServerError]]] = [
    ("40001", errors.ConcurrencyConflict),
    ("40P01", errors.ConcurrencyConflict),
    ("55P03", errors.LockTimeout),
    ("57014", errors.CommandTimeout),
    ("25P03", errors.CommandTimeout),
    ("57P01", errors.ServerUnavailable),
    ("57P02", errors.ServerUnavailable),
    ("57P03", errors.ServerUnavailable),
    ("57P05", errors.ServerUnavailable),
    ("08000", errors.ServerUnavailable),
    ("08003", errors.ServerUnavailable),
    ("08006", errors.ServerUnavailable),
    ("08P01", errors.ServerUnavailable),
    ("25006", errors.ReadOnly),
    ("23000", errors.IntegrityViolation),
    ("23502", errors.IntegrityViolation),
    ("23503", errors.IntegrityViolation),
    ("23505", errors.IntegrityViolation),
    ("23514", errors.IntegrityViolation),
    ("28000", errors.PermissionDenied),
    ("28P01", errors.PermissionDenied),
    ("42501", errors.PermissionDenied),
    ("53000", errors.ResourceError),
    ("53100", errors.ResourceError),
    ("53200", errors.ResourceError),
    ("53300", errors.ResourceError),
    ("58030", errors.ResourceError),
    ("22003", errors.StatementRejected),
    ("22P02", errors.StatementRejected),
    ("22P05", errors.StatementRejected),
    ("25P02", errors.StatementRejected),
    ("3D000", errors.StatementRejected),
    ("42P01", errors.StatementRejected),
    ("42601", errors.StatementRejected),
    ("54000", errors.StatementRejected),
    ("XX000", errors.StatementRejected),
    ("ZZZZZ", errors.StatementRejected),
]
RECORD_FAULTS = {"23502", "23514", "22003", "22P02", "22P05", "54000"}
RACES = {"23503", "23505"}


def from_server(state: str, message: str = "said the server", **fields: str) -> asyncpg.PostgresError:
    made: Any = asyncpg.PostgresError.new({"S": "ERROR", "C": state, "M": message, **fields})
    assert isinstance(made, asyncpg.PostgresError)
    return made


def translation(error: BaseException) -> errors.StoreError:
    known = translate(error)
    assert known is not None
    return known


@pytest.mark.parametrize(("state", "kind"), STATES)
def test_each_sqlstate_has_its_error(state: str, kind: type[errors.ServerError]) -> None:
    error = translation(from_server(state))

    assert type(error) is kind
    assert isinstance(error, errors.ServerError)
    assert error.sqlstate == state
    assert str(error) == f"said the server [{state}]"


@pytest.mark.parametrize("state", [state for state, _ in STATES])
def test_only_the_state_says_whether_a_record_or_a_race_is_to_blame(state: str) -> None:
    error = translation(from_server(state, "duplicate key, null value, too large"))

    assert is_record_fault(error) == (state in RECORD_FAULTS)
    assert is_race(error) == (state in RACES)


def test_every_class_of_the_driver_is_translated() -> None:
    kinds = [
        kind
        for kind in vars(asyncpg.exceptions).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, Warning)
    ]

    translations = {kind.__name__: translate(kind("it failed")) for kind in kinds}

    assert len(kinds) > 200
    assert [name for name, error in translations.items() if not isinstance(error, errors.ServerError)] == []
    assert [name for name, error in translations.items() if "it failed" not in str(error)] == []


def test_a_constraint_is_named() -> None:
    error = translation(from_server("23505", n="workflows_pkey"))

    assert isinstance(error, errors.IntegrityViolation)
    assert error.constraint == "workflows_pkey"


def test_the_detail_of_a_row_is_not_shown() -> None:
    error = translation(from_server("23505", D="Key (title)=(a scraped secret) already exists."))

    assert "secret" not in str(error)


def test_what_the_driver_raises_itself_is_told_by_its_kind() -> None:
    lost = translation(asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"))
    closed = translation(asyncpg.InterfaceError("connection is closed"))
    busy = translation(asyncpg.InterfaceError("cannot perform operation: another operation is in progress"))
    unusable = translation(asyncpg.InternalClientError("unexpected message"))
    value = translation(asyncpg.exceptions.DataError("invalid input for query argument $1: 2**70"))

    assert type(lost) is type(closed) is type(unusable) is errors.ServerUnavailable
    assert type(busy) is errors.ConnectionUnusable
    assert type(value) is errors.StatementRejected
    assert is_record_fault(value)
    assert not is_record_fault(busy)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), errors.CommandTimeout),
        (ConnectionRefusedError(111, "refused"), errors.ServerUnavailable),
        (ConnectionResetError(), errors.ServerUnavailable),
        (OSError("no route"), errors.ServerUnavailable),
        (ssl.SSLCertVerificationError("self-signed"), errors.ServerUnavailable),
    ],
)
def test_the_network_is_translated(error: OSError, kind: type[errors.ServerError]) -> None:
    assert type(translation(error)) is kind
    assert not is_record_fault(translation(error))


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), RuntimeError("x"), UnicodeEncodeError("utf-8", "x", 0, 1, "x")]
)
def test_what_is_not_the_drivers_passes_as_it_is(error: Exception) -> None:
    assert translate(error) is None
    with pytest.raises(type(error)) as caught, translated():
        raise error
    assert caught.value is error


def test_the_cause_is_kept() -> None:
    cause = from_server("40P01")

    with pytest.raises(errors.ConcurrencyConflict) as caught, translated():
        raise cause

    assert caught.value.__cause__ is cause


def test_errors_of_the_library_are_neither_wrapped_nor_blamed() -> None:
    with pytest.raises(errors.StoreClosed), translated():
        raise errors.StoreClosed("closed")

    assert not is_record_fault(errors.StoreClosed("closed"))
    assert not is_race(errors.StoreClosed("closed"))


def test_a_cancelled_task_stays_cancelled() -> None:
    with pytest.raises(asyncio.CancelledError), translated():
        raise asyncio.CancelledError


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user:canary@host:5432/db",
        "postgresql://user:can/canary@host/db",
        "postgresql://user:can#canary@host/db",
        "postgresql://user:can?canary@host/db",
        "postgresql://user:canary@[::1/db",
    ],
)
def test_an_address_never_shows_a_password(dsn: str) -> None:
    assert "canary" not in address(dsn)
    assert "can" not in repr(MaskedDsn(dsn))
    assert "user" not in address(dsn)
