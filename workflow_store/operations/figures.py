"""Figures in words, for what people read of a store from outside."""

from __future__ import annotations

from typing import Final

_MB: Final = 1_000_000


def megabytes(bytes_: int, digits: int = 0) -> str:
    """Bytes as MB of a million, with so many digits behind the point."""
    return f"{bytes_ / _MB:,.{digits}f} MB"


def version_in_words(number: int) -> str:
    """A server's version, such as 17.2, of its number, such as 170002."""
    return f"{number // 10_000}.{number % 10_000}"
