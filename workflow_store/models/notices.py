"""Remarks on a record that was taken, and the one of them that is counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class DuplicateKeys(str):
    """A remark on keys that came twice in one object.

    Attributes:
        keys: how many there were.
    """

    __slots__ = ("keys",)

    keys: int

    def __new__(cls, text: str, keys: int = 0) -> Self:
        self = super().__new__(cls, text)
        self.keys = keys
        return self


def duplicate_keys(notices: Iterable[str]) -> int:
    """How many keys came twice, by the remarks on a record."""
    return sum(notice.keys for notice in notices if isinstance(notice, DuplicateKeys))
