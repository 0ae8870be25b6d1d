"""TLS: a server that is not on this machine has to show who it is, unless it is said otherwise."""

from __future__ import annotations

import os
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

_LOCAL_NAMES: Final = frozenset(("", "localhost", "localhost.localdomain", "ip6-localhost"))
# Where the distributions keep the authorities that the machine trusts, should Python not know it.
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def secured(dsn: str) -> str:
    """The DSN with ``sslmode=verify-full`` where it leads to another machine and neither it nor ``PGSSLMODE`` says how.

    The authorities are those of ``sslrootcert``, ``PGSSLROOTCERT`` or ``~/.postgresql/root.crt``, else the machine's.
    Doing it again changes nothing.
    """
    try:
        parts = urlsplit(dsn)
        known = parse_qs(parts.query)
        hosts = _hosts(parts.netloc, known)
    except ValueError:
        # Who connects says what is wrong with it.
        return dsn
    if all(map(is_local, hosts)) or "sslmode" in known or "ssl" in known or os.environ.get("PGSSLMODE"):
        return dsn
    added = ["sslmode=verify-full"]
    if "sslrootcert" not in known and not os.environ.get("PGSSLROOTCERT") and not _own_root().is_file():
        bundle = trusted_authorities()
        added += [] if bundle is None else [f"sslrootcert={quote(bundle, safe='/')}"]
    return urlunsplit(parts._replace(query="&".join([*filter(None, [parts.query]), *added])))


def is_local(host: str) -> bool:
    """Whether a host is this machine, so that what is sent to it is on no wire."""
    if host.startswith("/") or host.lower() in _LOCAL_NAMES:
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def trusted_authorities() -> str | None:
    """The file of the authorities that the machine trusts; None where it is not in a usual place."""
    paths = ssl.get_default_verify_paths()
    named = (os.environ.get(paths.openssl_cafile_env), paths.cafile, paths.openssl_cafile, *_BUNDLES)
    return next((path for path in named if path and Path(path).is_file()), None)


def _hosts(netloc: str, query: dict[str, list[str]]) -> list[str]:
    named = netloc.rpartition("@")[2] or ",".join(query.get("host", [])) or os.environ.get("PGHOST", "")
    return [_without_port(unquote(host)) for host in named.split(",")]


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.startswith("/") or host.count(":") > 1 else host.partition(":")[0]


def _own_root() -> Path:
    return Path("~/.postgresql/root.crt").expanduser()
