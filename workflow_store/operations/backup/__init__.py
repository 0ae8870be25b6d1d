"""Backups: made while the server writes, verified, restored beside what is there, and proven by restoring them."""

from workflow_store.operations.backup.creation import create_backup
from workflow_store.operations.backup.drill import DrillReport, drill_backup
from workflow_store.operations.backup.folder import BackupFolder
from workflow_store.operations.backup.manifest import FileEntry, Kind, Manifest, TableEntry
from workflow_store.operations.backup.places import Backups
from workflow_store.operations.backup.recovery import RecoveryReport, recover_backup
from workflow_store.operations.backup.restoration import RestoreReport, restore_backup
from workflow_store.operations.backup.schedule import RunReport, run_backup

__all__ = [
    "BackupFolder",
    "Backups",
    "DrillReport",
    "FileEntry",
    "Kind",
    "Manifest",
    "RecoveryReport",
    "RestoreReport",
    "RunReport",
    "TableEntry",
    "create_backup",
    "drill_backup",
    "recover_backup",
    "restore_backup",
    "run_backup",
]
