"""Outside values read into the types of columns: losslessly, or not at all and with a notice."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, TypeGuard, TypeVar

from workflow_store.errors import InvalidJson, InvalidRecord
from workflow_store.models.json import Json
from workflow_store.models.workflow import in_utc

Value = TypeVar("Value")

_BIGINT: Final = 2**63
_SHOWN: Final = 200
# Digits of a bigint at most: longer text is not read, since reading it costs quadratic time.
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value from outside is a mapping."""
    # The plain case first: asking an abstract class costs ten times as much.
    return type(value) is dict or isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value from outside is a list or a tuple."""
    return isinstance(value, list | tuple)


def is_set(value: object) -> TypeGuard[Set[Any]]:
    """Whether a value from outside is a set."""
    return isinstance(value, set | frozenset)


class Fields:
    """The members of one mapping, read by type.

    Each method takes the names under which a value may lie and reads the first that is there and not None. A value that
    does not fit is None, and a notice that names the field and shows the value goes to ``notices``.
    """

    def __init__(self, values: Mapping[str, Any], name: str, notices: list[str]) -> None:
        self.values = values
        self.name = name
        self.notices = notices

    def text(self, *keys: str) -> str | None:
        """A str; numbers become the digits they are written with."""
        return self._read(keys, read_text, "not text")

    def count(self, *keys: str) -> int | None:
        """An integer of 64 bits; 12.0 and "12" are 12."""
        return self._read(keys, read_count, "not a whole number that fits")

    def number(self, *keys: str) -> float | None:
        """A finite float; text is read as one."""
        return self._read(keys, read_number, "not a number")

    def flag(self, *keys: str) -> bool | None:
        """A bool; 0, 1, "true" and "false" are read as one."""
        return self._read(keys, read_flag, "neither true nor false")

    def moment(self, *keys: str) -> datetime | None:
        """A time in UTC, from ISO 8601 or a datetime; without a zone it is UTC already."""
        return self._read(keys, read_moment, "not a date")

    def names(self, *keys: str) -> tuple[str, ...] | None:
        """Names from every one of the keys, in order: a list of strings or of objects with a ``name``, or one string.

        None where no key is there. Names that come again are dropped only where several keys are joined.
        """
        found: list[str] = []
        sources = 0
        for key in keys:
            value = self.values.get(key)
            if value is None:
                continue
            sources += 1
            for item in value if is_list(value) else sorted(value, key=str) if is_set(value) else [value]:
                name = read_text(item.get("name") if is_object(item) else item)
                if name is None:
                    self.refuse(key, item, "not a name")
                else:
                    found.append(name)
        if not sources:
            return None
        return tuple(found if sources == 1 else dict.fromkeys(found))

    def mapping(self, key: str) -> Mapping[str, Any] | None:
        """A mapping as it is."""
        return self._read((key,), read_mapping, "not an object")

    def refuse(self, key: str, value: object, reason: str) -> None:
        """Say that a value was not taken over."""
        field = f"{self.name}.{key}" if self.name else key
        self.notices.append(f"{field}: {shown(value)} is {reason}")

    def _read(self, keys: Iterable[str], read: Callable[[object], Value | None], reason: str) -> Value | None:
        for key in keys:
            value = self.values.get(key)
            if value is not None:
                result = read(value)
                if result is None:
                    self.refuse(key, value, reason)
                return result
        return None


def read_mapping(value: object) -> Mapping[str, Any] | None:
    """See ``Fields.mapping``."""
    return value if is_object(value) else None


def read_text(value: object) -> str | None:
    """See ``Fields.text``."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, float | Decimal) and not Decimal(value).is_finite():
        return None
    try:
        return str(value)
    except ValueError:
        return None  # more digits than Python writes; no text of a page is that


def read_count(value: object) -> int | None:
    """See ``Fields.count``."""
    number: int | None = None
    if isinstance(value, str):
        digits = _WHOLE.fullmatch(value.strip())
        number = int(value) if digits else None
    elif isinstance(value, float | Decimal):
        whole = math.isfinite(value) and -_BIGINT <= value < _BIGINT and value == int(value)
        number = int(value) if whole else None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    return number if number is not None and -_BIGINT <= number < _BIGINT else None


def read_number(value: object) -> float | None:
    """See ``Fields.number``."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_flag(value: object) -> bool | None:
    """See ``Fields.flag``."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def read_moment(value: object) -> datetime | None:
    """See ``Fields.moment``."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    try:
        return in_utc(value)
    except (OverflowError, ValueError):
        return None  # in the years 1 and 9999 the zone's difference may lead out of the calendar


def shown(value: object, limit: int = _SHOWN) -> str:
    """A value for a notice, as JSON where it has that form, cut at ``limit`` characters."""
    try:
        text = str(Json(value))
    except InvalidJson:
        try:
            text = repr(value)
        except (RecursionError, ValueError):
            text = f"a {type(value).__name__}"
    # A notice is text for people and for logs: half a character must not make it unprintable.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def document(value: object, name: str) -> Json:
    """A Python value as a JSON document; dates and times become ISO strings, sets become sorted lists.

    Raises:
        InvalidRecord: something in it has no JSON form (NaN, bytes, a cycle); ``name`` and the path to it are named.
    """
    try:
        return Json(value)
    except InvalidJson as error:
        reason = error.reason
    try:
        return Json(_plain(value, name))
    except RecursionError:
        raise InvalidRecord(name, reason) from None
    except InvalidJson as error:
        raise InvalidRecord(name, error.reason) from None


def _plain(value: Any, path: str) -> Any:
    if is_object(value):
        return {_key(key, path): _plain(member, f"{path}.{key}") for key, member in value.items()}
    if is_list(value):
        return [_plain(member, f"{path}[{index}]") for index, member in enumerate(value)]
    if is_set(value):
        # Sorted by their encoded form, so that the same set is the same document each time.
        return sorted((document(member, path) for member in value), key=lambda member: member.raw)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    try:
        Json(value)
    except InvalidJson as error:
        raise InvalidRecord(path, error.reason) from None
    return value


def _key(key: Any, path: str) -> Any:
    if isinstance(key, datetime | date | time):
        return key.isoformat()
    try:
        Json({key: None})
    except InvalidJson as error:
        raise InvalidRecord(path, f"a key: {error.reason}") from None
    return key
