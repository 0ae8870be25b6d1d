"""DSNs as somebody else."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit


def as_role(dsn: str, role: str, password: str) -> str:
    """The DSN of the same database for another role."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{host}"))
