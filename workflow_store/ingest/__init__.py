"""The write path."""

from workflow_store.ingest.batch import create_one, write_batch, write_one
from workflow_store.ingest.bulk import BulkIngest, IngestOptions, OnError, Progress, Source
from workflow_store.ingest.indexing import SearchIndexer

__all__ = [
    "BulkIngest",
    "IngestOptions",
    "OnError",
    "Progress",
    "SearchIndexer",
    "Source",
    "create_one",
    "write_batch",
    "write_one",
]
