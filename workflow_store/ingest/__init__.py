"""The write path."""

from workflow_store.ingest.batch import write_batch, write_one
from workflow_store.ingest.bulk import BulkIngest, Progress
from workflow_store.ingest.creation import create_one
from workflow_store.ingest.indexing import SearchIndexer
from workflow_store.ingest.options import IngestOptions, Mode, OnError
from workflow_store.ingest.recognition import Source
from workflow_store.ingest.resolution import Resolution, resolve
from workflow_store.ingest.writer import Writer, WriterOptions

__all__ = [
    "BulkIngest",
    "IngestOptions",
    "Mode",
    "OnError",
    "Progress",
    "Resolution",
    "SearchIndexer",
    "Source",
    "Writer",
    "WriterOptions",
    "create_one",
    "resolve",
    "write_batch",
    "write_one",
]
