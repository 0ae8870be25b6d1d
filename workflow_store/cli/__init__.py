"""The command line ``workflow-store``: every verb is one call of the library."""

from workflow_store.cli.application import app
from workflow_store.cli.program import main

__all__ = ["app", "main"]
