"""Media files: links in the database, bytes in a folder or bucket, named by their SHA-256."""

from workflow_store.media.errors import (
    MediaCorrupt,
    MediaError,
    MediaMissing,
    MediaShared,
    MediaTooLarge,
    MediaUnavailable,
    WorkflowMissing,
)
from workflow_store.media.files import GarbageReport, MediaFile, MediaOptions
from workflow_store.media.library import Media, MediaStream
from workflow_store.media.spool import MediaSource

__all__ = [
    "GarbageReport",
    "Media",
    "MediaCorrupt",
    "MediaError",
    "MediaFile",
    "MediaMissing",
    "MediaOptions",
    "MediaShared",
    "MediaSource",
    "MediaStream",
    "MediaTooLarge",
    "MediaUnavailable",
    "WorkflowMissing",
]
