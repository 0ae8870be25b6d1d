"""What can go wrong with media files."""

from __future__ import annotations

from collections.abc import Iterable

from workflow_store.errors import StoreError


class MediaError(StoreError):
    """A media file could not be stored or given back."""


class MediaMissing(MediaError):
    """There is no such file.

    Attributes:
        linked: True where the workflow has the name, but what it names is not in the folder or bucket.
    """

    def __init__(self, workflow_id: str, name: str, *, linked: bool = False) -> None:
        self.workflow_id = workflow_id
        self.name = name
        self.linked = linked
        what = "is linked, but its file is gone" if linked else "does not exist"
        super().__init__(f"media file {name!r} of workflow {workflow_id!r} {what}")


class MediaCorrupt(MediaError):
    """The file is there, but is not the one that was stored."""

    def __init__(self, workflow_id: str, name: str, reason: str) -> None:
        self.workflow_id = workflow_id
        self.name = name
        self.reason = reason
        super().__init__(f"media file {name!r} of workflow {workflow_id!r} is damaged: {reason}")


class MediaTooLarge(MediaError):
    """The file has more bytes than ``max_bytes``; nothing of it was stored.

    Attributes:
        max_bytes: the limit.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(f"the media file is larger than {max_bytes:,} bytes")


class MediaShared(MediaError):
    """Garbage was not collected: other databases have put files into the same folder or bucket.

    Attributes:
        owners: what they left there, sorted.
    """

    def __init__(self, address: str, owners: Iterable[str]) -> None:
        self.owners: tuple[str, ...] = tuple(sorted(owners))
        super().__init__(
            f"{address} also holds media of other databases ({', '.join(self.owners)}), whose links can't be asked "
            "from here; if they are gone or were copies of this one, collect with alone=True"
        )


class MediaUnavailable(MediaError):
    """The folder or bucket refused, or did not answer."""


class WorkflowMissing(MediaError):
    """A file can't be linked to a workflow that is not stored."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        super().__init__(f"workflow {workflow_id!r} is not stored, so no media file can be linked to it")
