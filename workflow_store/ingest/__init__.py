"""The write path."""

from workflow_store.ingest.batch import create_one, write_batch, write_one
from workflow_store.ingest.bulk import BulkIngest, IngestOptions, OnError, Progress, Source

__all__ = [
    "BulkIngest",
    "IngestOptions",
    "OnError",
    "Progress",
    "Source",
    "create_one",
    "write_batch",
    "write_one",
]
