"""A DSN as libpq reads it, for what connects by way of that: migrations, administration and PostgreSQL's programs."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict

from workflow_store.errors import SettingsError
from workflow_store.tls import secured


class MaskedPassword(str):
    """A password that shows nothing of itself where a traceback prints the variables of a frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def connection_parameters(dsn: str) -> dict[str, str]:
    """libpq's parameters by their names, as they are after ``tls.secured``.

    Raises:
        SettingsError: it can't be read; the message does not show it.
    """
    try:
        known = {name: str(value) for name, value in conninfo_to_dict(secured(dsn)).items()}
    except psycopg.Error:
        # libpq quotes the part it can't read, and that may be the password.
        raise SettingsError("the DSN can't be read: libpq refuses it as a URI") from None
    if not all(port.isdecimal() for port in known.get("port", "5432").split(",") if port):
        known.clear()  # a traceback may print it, and what stands there may be the password
        raise SettingsError("the DSN can't be read: its port is no number")
    if "password" in known:
        known["password"] = MaskedPassword(known["password"])
    return known
