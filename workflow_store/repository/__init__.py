"""Methods of one statement each."""

from workflow_store.repository.workflows import Repository

__all__ = ["Repository"]
