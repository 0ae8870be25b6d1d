"""Which backups are too old."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from workflow_store.operations.backup.manifest import Manifest


def outdated(manifests: Sequence[Manifest], keep_days: int, is_good: Callable[[str], bool]) -> set[str]:
    """Names of those that may go: older than so many days, but not the last good one, nor what a kept one builds on.

    Args:
        manifests: all of one place, the newest first.
        keep_days: days.
        is_good: whether the backup of a name is what its manifest says; asked only where all are old.
    """
    limit = datetime.now(UTC) - timedelta(days=keep_days)
    old = {manifest.name for manifest in manifests if manifest.created_at < limit}
    if len(old) == len(manifests):
        old.discard(next((manifest.name for manifest in manifests if is_good(manifest.name)), ""))
    for manifest in manifests:
        # The newest first: what a kept one builds on is kept, and what that builds on.
        if manifest.name not in old and manifest.builds_on is not None:
            old.discard(manifest.builds_on)
    return old
