"""How ``jsonb`` travels: our codec, and the swap with a caller's.

asyncpg tells nobody which codec a connection has, but it can make the codec of one type that of another. So a caller's
codec is put aside under the number of a type that no server has, ours takes its place, and afterwards it is made the
one of ``jsonb`` again: the same encoder, decoder and format, without a round trip, in a failed transaction too.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from workflow_store.errors import ConnectionUnusable
from workflow_store.models.json import Json

_JSONB: Final = ("jsonb", "pg_catalog")
_JSONB_OID: Final = 3802
# The server gives out numbers from below; this one is the highest but one.
_ASIDE_OID: Final = 2**32 - 2
_JSONB_VERSION: Final = b"\x01"
_NEEDED: Final = ("get_data_codec", "set_builtin_type_codec", "add_python_codec", "remove_python_codec")


def _to_jsonb(document: Json) -> bytes:
    return _JSONB_VERSION + document.raw


def _from_jsonb(data: bytes) -> Json:
    return Json.trusted(data[1:])


async def set_codecs(connection: Any) -> None:
    """Make ``jsonb`` travel as ``Json``, in binary: the text codec can't be used with COPY."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )


def require_codecs(connection: object) -> None:
    """Check that a caller's codec can be put aside and back; nothing is sent.

    Raises:
        ConnectionUnusable: it can't.
    """
    if not isinstance(connection, asyncpg.Connection | PoolConnectionProxy):
        raise ConnectionUnusable(f"a pool or connection of asyncpg is expected, not {type(connection).__name__}")
    try:
        settings: Any = connection.get_settings()
    except asyncpg.InterfaceError as error:
        raise ConnectionUnusable(str(error)) from error
    missing = [name for name in _NEEDED if not hasattr(settings, name)]
    if missing:
        raise ConnectionUnusable(
            f"asyncpg {asyncpg.__version__} can't put a codec aside and back: it has no {', '.join(missing)}"
        )


class OurJsonb:
    """Our codec for ``jsonb`` in place of a caller's, for the length of a block.

    A statement keeps the codecs it was prepared with; only what is prepared inside the block gets ours.
    """

    __slots__ = ("_aside", "_settings")

    def __init__(self, connection: Any) -> None:
        self._settings: Any = connection.get_settings()
        self._aside = False

    def __enter__(self) -> None:
        settings = self._settings
        own = settings.get_data_codec(_JSONB_OID, ignore_custom_codec=True)
        self._aside = settings.get_data_codec(_JSONB_OID) is not own
        if self._aside:
            settings.set_builtin_type_codec(_ASIDE_OID, *_JSONB, "scalar", _JSONB_OID, None)
        settings.add_python_codec(_JSONB_OID, *_JSONB, [], "scalar", _to_jsonb, _from_jsonb, "binary")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        settings = self._settings
        settings.remove_python_codec(_JSONB_OID, *_JSONB)
        if self._aside:
            settings.set_builtin_type_codec(_JSONB_OID, *_JSONB, "scalar", _ASIDE_OID, None)
            settings.remove_python_codec(_ASIDE_OID, *_JSONB)
