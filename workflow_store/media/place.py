"""Where media files lie, as the settings say."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from workflow_store.embedded.folder import default_data_dir
from workflow_store.errors import SettingsError
from workflow_store.media.blobs import Blobs
from workflow_store.media.errors import MediaUnavailable
from workflow_store.media.files import MediaOptions
from workflow_store.media.folder import Folder


def open_blobs(options: MediaOptions) -> Blobs:
    """The folder or bucket; nothing is read or made there yet.

    Raises:
        SettingsError: the URL is none.
        MediaUnavailable: a bucket needs the extra ``media``, or its URL can't be used.
    """
    if options.url is None:
        return Folder(options.folder if options.folder is not None else default_data_dir() / "media")
    parts = urlsplit(options.url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return Folder(Path(unquote(parts.path)))
    if not parts.scheme or "://" not in options.url or parts.scheme == "file":
        raise SettingsError("the place of media must be a URL such as s3://bucket/prefix or file:///folder")
    try:
        from workflow_store.media.bucket import Bucket
    except ImportError:
        raise MediaUnavailable("media in a bucket need obstore: pip install 'workflow-store[media]'") from None
    return Bucket.at(options.url)
