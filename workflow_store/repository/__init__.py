"""Methods of one statement each."""

from workflow_store.repository.repository import Repository
from workflow_store.repository.transaction import Transaction

__all__ = ["Repository", "Transaction"]
