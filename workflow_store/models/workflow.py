"""``Workflow`` and its parts: what goes into the store and what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from workflow_store.models.json import Json

MAX_ID_BYTES: Final = 1_024

Part: TypeAlias = Literal["metadata", "structure", "content", "transcripts"]
PARTS: Final[frozenset[Part]] = frozenset(("metadata", "structure", "content", "transcripts"))


# The driver takes these two for -infinity and infinity.
_FIRST_MOMENT: Final = datetime.min.replace(tzinfo=UTC)
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC, which is also what one without a zone is in.

    Raises:
        ValueError: the calendar or the driver has no place for it.
    """
    # The original kept naive times and meant UTC.
    try:
        moved = moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("before the year 1 or after the year 9999 in UTC") from None
    if moved in (_FIRST_MOMENT, _LAST_MOMENT):
        raise ValueError("the first and the last moment of the calendar stand for infinity")
    return moved


def _names(value: object) -> object:
    """Strings as they are; objects, as n8n writes tags and categories, by their ``name``."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(map(_name, cast("Iterable[object]", value)))


def _name(item: object) -> object:
    if not isinstance(item, Mapping):
        return item
    named = cast("Mapping[str, object]", item)
    return named.get("name", named)


def _fits_a_key(workflow_id: str) -> str:
    size = len(workflow_id.encode("utf-8", "surrogatepass"))
    if not 1 <= size <= MAX_ID_BYTES:
        raise ValueError(f"1 to {MAX_ID_BYTES:,} bytes of UTF-8 are allowed, not {size:,}")
    return workflow_id


def _not_empty(url: str) -> str:
    # A constraint of pydantic's own would refuse half a character here, where no policy could do anything about it.
    if not url:
        raise ValueError("it is empty")
    return url


WorkflowId = Annotated[str, AfterValidator(_fits_a_key)]
Moment = Annotated[datetime, AfterValidator(in_utc)]
Count = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
# Far from the largest float, so that a sum over all rows holds.
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class _Record(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Metadata(_Record):
    """Layer 1: what the workflow's page says. Times are UTC; a time without a zone is taken as UTC."""

    title: str | None = None
    description: str | None = None
    use_case: str | None = None
    author_name: str | None = None
    author_url: str | None = None
    views: Count | None = None
    shares: Count | None = None
    categories: Names | None = None
    tags: Names | None = None
    workflow_created_at: Moment | None = None
    workflow_updated_at: Moment | None = None
    raw_metadata: Json | None = None
    extracted_at: Moment | None = None


class Structure(_Record):
    """Layer 2: the workflow's own JSON and what was counted in it.

    ``connection_count`` counts edges. ``node_types`` are sorted and distinct. ``extraction_type`` is one of ``full``,
    ``partial``, ``fallback``, ``failed`` by convention.
    """

    node_count: Count | None = None
    connection_count: Count | None = None
    node_types: Names | None = None
    extraction_type: str | None = None
    fallback_used: bool = False
    workflow_json: Json | None = None
    extracted_at: Moment | None = None


class Content(_Record):
    """Layer 3: the explaining texts of the page."""

    explainer_text: str | None = None
    explainer_html: str | None = None
    setup_instructions: str | None = None
    use_instructions: str | None = None
    has_videos: bool = False
    video_count: Count = 0
    has_iframes: bool = False
    iframe_count: Count = 0
    raw_content: Json | None = None
    extracted_at: Moment | None = None


class Transcript(_Record):
    """The transcript of one video; ``duration`` is in seconds, ``platform`` by convention youtube or vimeo."""

    video_url: str
    video_id: str | None = None
    platform: str | None = None
    transcript_text: str | None = None
    transcript_json: Json | None = None
    duration: Number | None = None
    language: str | None = None
    extracted_at: Moment | None = None


class Workflow(_Record):
    """One workflow: its row and its four parts.

    Going in, a part that is None was not scraped this time and what is stored stays; an empty ``transcripts`` says that
    there are none. Coming back, a part is None where none is stored or it was not asked for.

    The store sets ``updated_at``; ``layerN_success`` says whether the part is stored. ``quality_score`` and
    ``processing_time`` (seconds) that are None were not measured, and what is stored stays; ``error_message`` is always
    that of the last scrape. ``retry_count`` of None leaves the stored one.
    """

    workflow_id: WorkflowId
    url: Annotated[str, AfterValidator(_not_empty)]
    extracted_at: Moment | None = None
    updated_at: Moment | None = None
    processing_time: Number | None = None
    quality_score: Number | None = None
    layer1_success: bool = False
    layer2_success: bool = False
    layer3_success: bool = False
    error_message: str | None = None
    retry_count: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    metadata: Metadata | None = None
    structure: Structure | None = None
    content: Content | None = None
    transcripts: tuple[Transcript, ...] | None = None

    _notices: tuple[str, ...] = PrivateAttr(default=())

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader could not take over into its column, such as a date that is none; never stored."""
        # Past the attribute protocol of private attributes, which costs more than all else that is done with it.
        private = self.__pydantic_private__
        return private["_notices"] if private else ()

    def with_notices(self, notices: tuple[str, ...]) -> Workflow:
        """The same workflow with notices beside it."""
        workflow = self.model_copy()
        workflow._notices = notices
        return workflow

    def model_post_init(self, context: Any) -> None:
        for flag, part in (
            ("layer1_success", self.metadata),
            ("layer2_success", self.structure),
            ("layer3_success", self.content),
        ):
            if part is not None:
                object.__setattr__(self, flag, True)

    @classmethod
    def from_extraction_result(cls, workflow_id: str, url: str, result: Mapping[str, Any]) -> Workflow:
        """A workflow from what a scraping pipeline returns, in its flat or its nested form.

        What can't be taken over (a date that is none, a number that is text) is None and named in ``notices``; the
        whole layer is kept beside it as ``raw_metadata``, ``workflow_json`` or ``raw_content``.

        Raises:
            InvalidRecord: the id or the URL can't be stored, or ``result`` is not a mapping.
        """
        from workflow_store.models.extraction import workflow_from_extraction

        return workflow_from_extraction(workflow_id, url, result)

    @classmethod
    def from_json(cls, text: bytes | str) -> Workflow:
        """A workflow from what ``to_json`` wrote; JSON columns keep the bytes they were written as.

        Raises:
            InvalidJson: not JSON, or JSON that PostgreSQL can't hold.
            InvalidRecord: JSON that is not a workflow; the field at fault is named.
        """
        from workflow_store.models.interchange import workflow_from_json

        return workflow_from_json(text)

    def to_json(self) -> Json:
        """The workflow as one JSON document with every digit of its JSON columns; parts that are None are left out."""
        from workflow_store.models.interchange import workflow_to_json

        return workflow_to_json(self)
