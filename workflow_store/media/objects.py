"""Object stores, opened by a URL, whose errors show no secret."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from workflow_store.errors import StoreError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_QUERY: Final = re.compile(r"\?[^\s\"')]+")


def objects_at(url: str, purpose: str, raised: type[StoreError]) -> tuple[ObjectStore, str]:
    """The object store of a URL, and its address without a secret; credentials come from the environment, as each
    provider's own tools read them. Nothing is sent yet; a folder is made where it is not there.

    Args:
        url: such as ``s3://bucket/prefix``, or ``file:///folder``.
        purpose: what it is to hold, for the error.
        raised: the error.
    """
    parts = urlsplit(url)
    folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
    address = url.split("?", 1)[0].rsplit("@", 1)[-1] if folder is None else str(folder)
    try:
        if folder is not None:
            return LocalStore(folder, mkdir=True, automatic_cleanup=True), address
        return from_url(url), address
    except Exception as error:
        # Its message may show the whole URL, and that a secret.
        raise raised(f"{address} can't be used as a place for {purpose} ({type(error).__name__})") from None


@contextmanager
def object_faults(address: str, raised: type[StoreError]) -> Generator[None]:
    """Tell what an object store answers as an error of ours."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        # A request's address may be in it, and a signature in that.
        first = _QUERY.sub("?…", next(iter(str(error).splitlines()), ""))
        raise raised(f"{address}: {type(error).__name__}: {first}") from None
