"""The videos an extraction result tells of, and their transcripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from workflow_store.models.fields import Fields, document, is_list, is_object

_HOSTS: Final = {
    "youtube.com": "youtube",
    "youtube-nocookie.com": "youtube",
    "youtu.be": "youtube",
    "vimeo.com": "vimeo",
}
_COLUMNS_OF_TRANSCRIPT: Final = frozenset(("text", "duration", "language"))


@dataclass(slots=True)
class Videos:
    """What was read of videos.

    Attributes:
        found: members of ``Transcript``, in the result's order.
        rest: what no column takes.
    """

    found: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rest: dict[str, Any] = field(default_factory=dict[str, Any])
    _urls: set[str] = field(default_factory=set[str])
    _counted: int = 0
    _said_none: bool = False

    @property
    def count(self) -> int:
        """Distinct videos that are named, or the pipeline's own count where that is larger."""
        return max(len(self._urls), self._counted)

    @property
    def transcripts(self) -> list[dict[str, Any]] | None:
        """The transcripts, empty where the result says that there are no videos.

        None where it says nothing about videos, or has no transcript of those it found.
        """
        return self.found if self.found or (self._said_none and not self.count) else None

    def count_at_least(self, number: int) -> None:
        """Take over a count of videos; 0 says that there are none."""
        self._counted = max(self._counted, number)
        self._said_none = self._said_none or number == 0

    def name(self, url: str | None) -> None:
        if url:
            self._urls.add(url)


def read_videos(result: Fields, layer3: Fields | None, extracted_at: datetime | None) -> Videos:
    """Read videos from ``transcripts``, ``multimodal`` and layer 3 of a result; None for a layer that is not stored."""
    videos = Videos()
    _read_stage(result, videos, extracted_at)
    multimodal = result.values.get("multimodal")
    if is_object(multimodal):
        _read_urls(Fields(multimodal, "multimodal", result.notices), videos)
    if layer3 is not None:
        data = layer3.values.get("data")
        page = Fields(data, f"{layer3.name}.data", result.notices) if is_object(data) else layer3
        _read_page(page, videos, extracted_at)
        _read_urls(page, videos)
    return videos


def _read_stage(result: Fields, videos: Videos, extracted_at: datetime | None) -> None:
    """The stage that fetched transcripts: what it has is stored, how its other attempts went is left over."""
    given = result.values.get("transcripts")
    if given is None:
        return
    stage = Fields(given if is_object(given) else {"results": given}, "transcripts", result.notices)
    found = stage.count("videos_found")
    if found is not None:
        videos.count_at_least(found)
    attempts = stage.values.get("results")
    if not is_list(attempts):
        videos.rest["transcripts"] = given
        return
    left: list[Any] = []
    for index, attempt in enumerate(attempts):
        fields = Fields(attempt if is_object(attempt) else {}, f"transcripts.results[{index}]", result.notices)
        url = fields.text("video_url", "url")
        videos.name(url)
        read = None if fields.flag("success") is False else _transcript(fields, url, extracted_at)
        if read is None:
            left.append(attempt)
        else:
            videos.found.append(read)
    if not attempts:
        videos.count_at_least(0)
    rest = {key: value for key, value in stage.values.items() if key != "results"}
    if left:
        rest["results"] = left
    if rest:
        videos.rest["transcripts"] = rest


def _read_page(page: Fields, videos: Videos, extracted_at: datetime | None) -> None:
    """The ``videos`` of layer 3, each with its transcript beside it."""
    if page.flag("has_videos") is False:
        videos.count_at_least(0)
    listed = page.values.get("videos")
    if not is_list(listed):
        return
    videos.count_at_least(len(listed))
    stored = {transcript["video_url"] for transcript in videos.found}
    for index, video in enumerate(listed):
        entry = video if is_object(video) else {"url": video}
        fields = Fields(entry, f"{page.name}.videos[{index}]", page.notices)
        url = fields.text("url", "video_url")
        videos.name(url)
        read = _transcript(fields, url, extracted_at)
        if read is not None and url not in stored:
            videos.found.append(read)


def _read_urls(fields: Fields, videos: Videos) -> None:
    urls = fields.names("video_urls")
    if urls is None:
        return
    for url in urls:
        videos.name(url)
    if not urls:
        videos.count_at_least(0)


def _transcript(fields: Fields, url: str | None, extracted_at: datetime | None) -> dict[str, Any] | None:
    """The members of one transcript; None where the video has none, or none that can be stored."""
    given = fields.values.get("transcript")
    if given is None or given == "":
        return None
    inside = Fields(given if is_object(given) else {"text": given}, f"{fields.name}.transcript", fields.notices)
    if not url:
        fields.refuse("transcript", given, "not stored: its video has no URL")
        return None
    more = inside.values.keys() - _COLUMNS_OF_TRANSCRIPT
    return {
        "video_url": url,
        "video_id": fields.text("video_id"),
        "platform": fields.text("platform") or platform_of(url),
        "transcript_text": inside.text("text"),
        "transcript_json": document(given, inside.name) if more else None,
        "duration": inside.number("duration") if "duration" in inside.values else fields.number("duration"),
        "language": inside.text("language") or fields.text("language"),
        "extracted_at": extracted_at,
    }


def platform_of(url: str) -> str | None:
    """``youtube`` or ``vimeo``, told from the host of a URL; None for any other."""
    try:
        host = (urlsplit(url if "//" in url else f"//{url}").hostname or "").removeprefix("www.")
    except ValueError:
        return None
    return next((name for known, name in _HOSTS.items() if host == known or host.endswith(f".{known}")), None)
