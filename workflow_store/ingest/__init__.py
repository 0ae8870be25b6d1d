"""The write path."""

from workflow_store.ingest.batch import create_one, write_batch, write_one
from workflow_store.ingest.bulk import BulkIngest, IngestOptions, OnError, Progress, Source
from workflow_store.ingest.indexing import SearchIndexer
from workflow_store.ingest.writer import Writer, WriterOptions

__all__ = [
    "BulkIngest",
    "IngestOptions",
    "OnError",
    "Progress",
    "SearchIndexer",
    "Source",
    "Writer",
    "WriterOptions",
    "create_one",
    "write_batch",
    "write_one",
]
