"""What the media methods take and answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from workflow_store.settings import Settings

DEFAULT_MAX_BYTES: Final = 256 * 1024 * 1024
DEFAULT_GRACE: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file of a workflow.

    Attributes:
        name: unique within the workflow.
        sha256: of its bytes, 64 hexadecimal digits.
        size: in bytes.
        content_type: as given, or guessed from the name.
        created_at: when it was put under this name.
    """

    name: str
    sha256: str
    size: int
    content_type: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """Where media files lie and which are taken.

    Attributes:
        url: ``s3://``, ``gs://``, ``az://``, ``memory://`` or ``file://``; None is a local folder.
        folder: the local folder; None is ``media`` in the platform's user data folder.
        max_bytes: a larger file is refused.
        grace: seconds that garbage is left alone after it was written.
        content_types: the types that are taken, such as ``image/png`` or ``image/*``; None takes all.
    """

    url: str | None = field(default=None, repr=False)
    folder: Path | None = None
    max_bytes: int = DEFAULT_MAX_BYTES
    grace: float = DEFAULT_GRACE
    content_types: tuple[str, ...] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of the settings."""
        url = settings.media_url
        return cls(
            url=None if url is None else url.get_secret_value(),
            folder=settings.media_dir or (settings.data_dir and settings.data_dir / "media"),
            max_bytes=settings.media_max_bytes,
            grace=settings.media_grace,
            content_types=settings.media_content_types,
        )


@dataclass(slots=True)
class GarbageReport:
    """What a collection did. Counts are files.

    Attributes:
        examined: stored files that were looked at.
        collected: files nobody linked to, deleted.
        bytes: the size of those.
        young: files within the grace period, left alone whether linked or not.
        busy: files that somebody was linking or collecting at that moment, left alone.
        partial: leftovers of uploads that never finished, deleted.
        put_back: files that an interrupted collection had set aside, in their place again.
    """

    examined: int = 0
    collected: int = 0
    bytes: int = 0
    young: int = 0
    busy: int = 0
    partial: int = 0
    put_back: int = 0
