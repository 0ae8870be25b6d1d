"""Methods of one statement each."""

from workflow_store.repository.repository import Repository

__all__ = ["Repository"]
