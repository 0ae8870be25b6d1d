"""What a scraping pipeline returns, in its flat or its nested form, as a ``Workflow``.

The flat form holds a layer's fields in the layer, the nested form in its ``data``; both are read by the same code,
which looks for a field under each of its names. ``docs/importing.md`` has the table of names and columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workflow_store.errors import InvalidRecord
from workflow_store.models.fields import Fields, document, is_list, is_object, shown
from workflow_store.models.interchange import validated
from workflow_store.models.n8n import connection_count, node_count, node_types
from workflow_store.models.videos import read_videos
from workflow_store.models.workflow import Workflow

_LAYERS: Final = ("layer1", "layer2", "layer3")
# What is read into columns of its own, or was given beside the result; everything else is kept as it is.
_READ_OF_RESULT: Final = frozenset(
    (
        "layers",
        "workflow_id",
        "url",
        "processing_time",
        "extraction_time",
        "quality_score",
        "timestamp",
        "errors",
        "error",
        "error_message",
        "retry_count",
        "transcripts",
    )
)
_READ_OF_LAYER2: Final = frozenset(
    (
        "success",
        "data",
        "error",
        "errors",
        "node_count",
        "connection_count",
        "node_types",
        "extraction_type",
        "fallback_used",
    )
)
_READ_OF_FAILED: Final = frozenset(("success", "error", "errors"))
_MAX_NOTICE: Final = 2_000


def workflow_from_extraction(workflow_id: str, url: str, result: Mapping[str, Any]) -> Workflow:
    """See ``Workflow.from_extraction_result``.

    Raises:
        InvalidRecord: the id or the URL can't be stored, ``result`` is not a mapping, or a layer holds what JSON can't.
    """
    if not is_object(result):
        raise InvalidRecord("result", f"a mapping is expected, not {type(result).__name__}")
    reading = _Reading(result)
    members = reading.members()
    workflow = validated({"workflow_id": workflow_id, "url": url, **members})
    return workflow.with_notices(tuple(reading.notices)) if reading.notices else workflow


class _Reading:
    """One result while it is read: its layers, what they gave, and what is left over."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.notices: list[str] = []
        self.result = Fields(result, "", self.notices)
        layers = Fields(self.result.mapping("layers") or {}, "layers", self.notices)
        self.layers = {name: Fields(layers.mapping(name) or {}, name, self.notices) for name in _LAYERS}
        self.succeeded = {name for name, layer in self.layers.items() if _succeeded(layer)}
        self.extracted_at = self.result.moment("timestamp")
        # What no column takes, by where it lay; it is stored inside the raw document of layer 1 or layer 3.
        self.rest: dict[str, Any] = {key: value for key, value in result.items() if key not in _READ_OF_RESULT}
        for key in layers.values.keys() - self.layers.keys():
            self.rest[str(key)] = layers.values[key]

    def members(self) -> dict[str, Any]:
        """The members of the model, without id and URL."""
        members: dict[str, Any] = {
            "extracted_at": self.extracted_at,
            "processing_time": self.result.number("processing_time", "extraction_time"),
            "quality_score": self._quality_score(),
            "error_message": self._error_message(),
            "retry_count": self._retry_count(),
            "structure": self._structure() if "layer2" in self.succeeded else None,
        }
        for name in _LAYERS:
            if name not in self.succeeded:
                self._keep_failed(name)
        layer3 = self.layers["layer3"] if "layer3" in self.succeeded else None
        videos = read_videos(self.result, layer3, self.extracted_at)
        self.rest.update(videos.rest)
        members["transcripts"] = videos.transcripts
        metadata = self._metadata() if "layer1" in self.succeeded else None
        content = self._content(videos.count) if "layer3" in self.succeeded else None
        rest = {key: value for key, value in self.rest.items() if value is not None}
        raw = {
            "layer1": dict(self.layers["layer1"].values),
            "layer3": dict(self.layers["layer3"].values),
        }
        if rest and (metadata or content):
            holder = raw["layer1" if metadata else "layer3"]
            holder[_free_key(holder)] = rest
        elif rest:
            self.notices.append(f"not stored, for want of a layer to hold it: {shown(rest, _MAX_NOTICE)}")
        if metadata:
            metadata["raw_metadata"] = document(raw["layer1"], "layers.layer1")
        if content:
            content["raw_content"] = document(raw["layer3"], "layers.layer3")
        return members | {"metadata": metadata, "content": content}

    def _quality_score(self) -> float | None:
        score = self.result.number("quality_score")
        quality = self.result.values.get("quality")
        if score is None and is_object(quality):
            score = Fields(quality, "quality", self.notices).number("overall_score")
        return score

    def _retry_count(self) -> int | None:
        count = self.result.count("retry_count")
        if count is not None and not 0 <= count < 2**31:
            self.result.refuse("retry_count", count, "not a count that fits")
            return None
        return count

    def _error_message(self) -> str | None:
        """The errors of the result and then those of the layers, each once."""
        found: dict[str, None] = {}
        for fields in (self.result, *self.layers.values()):
            for key in ("errors", "error", "error_message"):
                value = fields.values.get(key)
                for error in value if is_list(value) else [value]:
                    text = error if isinstance(error, str) else None if error is None else shown(error)
                    if text:
                        found[text] = None
        return "; ".join(found) or None

    def _keep_failed(self, name: str) -> None:
        layer = self.layers[name].values
        if layer.keys() - _READ_OF_FAILED:
            self.rest[name] = dict(layer)

    def _metadata(self) -> dict[str, Any]:
        layer = self.layers["layer1"]
        fields = _inner(layer)
        author = fields.values.get("author")
        named = author if is_object(author) else {"name": author}
        by = Fields(named, f"{fields.name}.author", self.notices)
        return {
            "title": fields.text("title"),
            "description": fields.text("description"),
            "use_case": fields.text("use_case"),
            "author_name": by.text("name") or fields.text("author_name"),
            "author_url": by.text("url") or fields.text("author_url"),
            "views": fields.count("views"),
            "shares": fields.count("shares", "upvotes"),
            "categories": fields.names("categories", "primary_category", "secondary_categories"),
            "tags": fields.names("tags", "general_tags", "node_tags"),
            "workflow_created_at": fields.moment("created_at", "created_date"),
            "workflow_updated_at": fields.moment("updated_at", "updated_date"),
            "extracted_at": layer.moment("extracted_at") or self.extracted_at,
        }

    def _structure(self) -> dict[str, Any]:
        layer = self.layers["layer2"]
        data = layer.values.get("data")
        answer: dict[str, Any] = {}
        body = data
        # A template-API answer holds the workflow in its `workflow`, once or twice over.
        while is_object(body) and is_object(body.get("workflow")) and "nodes" not in body:
            answer |= {key: value for key, value in body.items() if key != "workflow"}
            body = body["workflow"]
        rest = {key: value for key, value in layer.values.items() if key not in _READ_OF_LAYER2}
        if answer:
            rest["data"] = answer
        if rest:
            self.rest["layer2"] = rest
        workflow: Mapping[str, Any] = body if is_object(body) else {}
        given = layer.count("node_count"), layer.count("connection_count"), layer.names("node_types")
        return {
            "node_count": node_count(workflow) if given[0] is None else given[0],
            "connection_count": connection_count(workflow) if given[1] is None else given[1],
            "node_types": node_types(workflow) if given[2] is None else given[2],
            "extraction_type": layer.text("extraction_type"),
            "fallback_used": layer.flag("fallback_used") or False,
            "workflow_json": None if body is None else document(body, "layers.layer2.data"),
            "extracted_at": layer.moment("extracted_at") or self.extracted_at,
        }

    def _content(self, videos: int) -> dict[str, Any]:
        layer = self.layers["layer3"]
        fields = _inner(layer)
        page = _inner(self.layers["layer1"])
        video_count = fields.count("video_count")
        iframe_count = fields.count("iframe_count")
        if iframe_count is None:
            iframes = fields.values.get("iframes")
            iframe_count = len(iframes) if is_list(iframes) else 0
        video_count = videos if video_count is None else video_count
        has_videos, has_iframes = fields.flag("has_videos"), fields.flag("has_iframes")
        return {
            "explainer_text": _explainer(fields),
            "explainer_html": fields.text("explainer_html"),
            "setup_instructions": _prose(fields, "setup_instructions") or _prose(page, "setup_instructions"),
            "use_instructions": _prose(fields, "use_instructions") or _prose(fields, "step_by_step"),
            "has_videos": video_count > 0 if has_videos is None else has_videos,
            "video_count": video_count,
            "has_iframes": iframe_count > 0 if has_iframes is None else has_iframes,
            "iframe_count": iframe_count,
            "extracted_at": layer.moment("extracted_at") or self.extracted_at,
        }


def _succeeded(layer: Fields) -> bool:
    success = layer.flag("success")
    if success is None and layer.values.get("success") is None:
        return is_object(layer.values.get("data"))
    return success is True


def _inner(layer: Fields) -> Fields:
    """Where the fields of layer 1 or 3 lie: in its ``data`` (nested), else in the layer (flat)."""
    data = layer.values.get("data")
    return Fields(data, f"{layer.name}.data", layer.notices) if is_object(data) else layer


def _explainer(fields: Fields) -> str | None:
    """``explainer_text``, else what the nested form has of it, in the order of the page."""
    given = fields.text("explainer_text")
    if given is not None:
        return given
    parts = [_prose(fields, "introduction"), _prose(fields, "overview")]
    parts.append(_prose(fields, "tutorial_text") or _prose(fields, "tutorial_sections"))
    return "\n\n".join(dict.fromkeys(part for part in parts if part)) or None


def _prose(fields: Fields, key: str) -> str | None:
    """A text, or a list of texts or of objects that hold one, as one text with a blank line between its pieces."""
    value = fields.values.get(key)
    if not is_list(value):
        return fields.text(key)
    pieces: list[str] = []
    for item in value:
        inside = item if is_object(item) else {"text": item}
        lines = [inside.get(name) for name in ("title", "heading", "description", "text", "content")]
        piece = "\n".join(line for line in lines if isinstance(line, str) and line)
        if piece:
            pieces.append(piece)
        else:
            fields.refuse(key, item, "not text")
    return "\n\n".join(pieces) or None


def _free_key(holder: Mapping[str, Any]) -> str:
    key = "pipeline"
    while key in holder:
        key += "_"
    return key
