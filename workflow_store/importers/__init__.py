"""Outside shapes as ``Workflow``: n8n exports, template-API answers, extraction results, what ``export`` wrote,
and the tables of the SQLAlchemy layer.

::

    for record in read_path("templates.jsonl.gz"):
        if isinstance(record, Rejected):
            print(record.source, record.reason)
"""

from workflow_store.importers.again import read_again
from workflow_store.importers.limits import Limits
from workflow_store.importers.original import read_original
from workflow_store.importers.place import IdFrom
from workflow_store.importers.reader import read_path, read_paths

__all__ = ["IdFrom", "Limits", "read_again", "read_original", "read_path", "read_paths"]
