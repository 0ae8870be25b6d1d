"""Connection URIs hold passwords; what a person reads must not."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

from workflow_store.errors import SettingsError

_SCHEMES = ("postgresql://", "postgres://")
# Up to the first @ is what a URI says, up to the last is what a person meant who did not quote an @ in the password.
_PATTERNS = (
    re.compile(r"//[^:/?@]*:([^@]+?)@"),
    re.compile(r"//[^:/?@]*:(.+)@"),
    re.compile(r"[?&](?:ssl)?password=([^&#]+)"),
)


def require_uri(dsn: str) -> None:
    """Check that a DSN is a URI, the only form the library takes.

    Raises:
        SettingsError: it is not; the message does not show it.
    """
    if not dsn.startswith(_SCHEMES):
        raise SettingsError("the DSN must be a URI that starts with postgresql://")


def scrub(text: str, dsn: str) -> str:
    """The text without the DSN's passwords, as they are written there and as they are meant."""
    written = {match for pattern in _PATTERNS for match in pattern.findall(dsn)}
    secrets = written | {unquote(secret) for secret in written} | {unquote_plus(secret) for secret in written}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
