"""Figures in words, for what people read of a store from outside."""

from __future__ import annotations

from typing import Final

_MB: Final = 1_000_000


def megabytes(bytes_: int, digits: int = 0) -> str:
    """Bytes as MB of a million, with so many digits behind the point."""
    return f"{bytes_ / _MB:,.{digits}f} MB"
