"""One generated record: a workflow's row and its four parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from workflow_store.models import Content, Json, Metadata, Structure, Transcript, Workflow
from workflow_store.samples import vocabulary
from workflow_store.samples.document import build
from workflow_store.samples.draws import PASSAGE_BYTES, Draws, passages, zipf

_FIRST_SCRAPE: Final = datetime(2025, 7, 1, tzinfo=UTC)
_FIRST_WORKFLOW: Final = datetime(2019, 6, 1, tzinfo=UTC)
_YEAR: Final = 365 * 86_400  # seconds
_AGES: Final = int((_FIRST_SCRAPE - _FIRST_WORKFLOW).total_seconds())
# Values at draws.POSITIONS: a log-normal distribution of median 900.
_VIEWS: Final = (
    *(5.0, 75.0, 130.0, 330.0, 900.0, 2_400.0, 6_200.0, 10_700.0),
    *(30_000.0, 54_000.0, 86_000.0, 230_000.0, 900_000.0),
)
_ERRORS: Final = (
    "layer 1: HTTP 404 for the page",
    "layer 2: no workflow JSON in the page",
    "layer 3: timed out after 30 s",
)
_LANGUAGES: Final = ("en",) * 12 + ("es", "de", "fr", "pt")
_SELDOM: Final = 5  # of 256: how often an optional field is missing
_OFTEN: Final = 26


def build_record(seed: int, index: int) -> Workflow:
    """The record at ``index``, whose id depends on the index alone."""
    draws = Draws(seed, index)
    workflow_id = str(1_000 + 3 * index + (index * 40_503 >> 7) % 3)
    scraped = _FIRST_SCRAPE + timedelta(seconds=draws.below(_YEAR))
    title = _title(draws)
    failed = draws.below(3) if draws.chance(0.03) else None
    videos = 1 + draws.below(2) if draws.chance(0.2) else 0
    return Workflow(
        workflow_id=workflow_id,
        url=f"https://n8n.io/workflows/{workflow_id}",
        extracted_at=scraped if draws.chance(0.99) else None,
        processing_time=round(7 + 14 * (draws.random() + draws.random()) / 2, 2) if draws.chance(0.98) else None,
        quality_score=_quality(draws) if draws.chance(0.98) else None,
        error_message=None if failed is None else _ERRORS[failed],
        retry_count=draws.below(4) if draws.chance(0.05) else None,
        metadata=None if failed == 0 else _metadata(draws, workflow_id, title, scraped),
        structure=None if failed == 1 else _structure(draws, title, scraped),
        content=None if failed == 2 else _content(draws, videos, scraped),
        transcripts=None if failed == 2 else tuple([_transcript(draws, scraped) for _ in range(videos)]),
    )


def _title(draws: Draws) -> str:
    verb = "Automate" if draws.chance(0.33) else draws.pick(vocabulary.VERBS)
    title = f"{verb} {draws.pick(vocabulary.OBJECTS)} with {draws.pick(vocabulary.BRANDS)}"
    luck = draws.random()
    if luck < 0.5:
        title += f" and {draws.pick(vocabulary.BRANDS)}"
    elif luck < 0.7:
        title += f" for {draws.pick(vocabulary.RARE)}"
    elif luck < 0.78:
        title = f"🤖 {title}"
    return title


def _quality(draws: Draws) -> float:
    if draws.chance(0.12):
        return round(70 * draws.random(), 1)
    return round(70 + 30 * (draws.random() + draws.random() + draws.random()) / 3, 1)


@cache
def _authors() -> tuple[tuple[str, str], ...]:
    """A table of 65,536 with 3,000 names and pages of authors, by how much each publishes."""
    people: list[tuple[str, str]] = []
    for given in vocabulary.GIVEN_NAMES:
        for family in vocabulary.FAMILY_NAMES:
            name = f"{given} {family}"
            people.append((name, f"https://n8n.io/creators/{name.replace(' ', '').lower()}/"))
    # A step that shares no factor with their number mixes the given names.
    return zipf([people[place * 1_009 % len(people)] for place in range(len(people))])


def _metadata(draws: Draws, workflow_id: str, title: str, scraped: datetime) -> Metadata:
    missing = draws.bits(96).to_bytes(12, "little")
    author, page = _authors()[draws.bits(16)]
    views = int(draws.quantile(_VIEWS, draws.random()))
    created = _FIRST_WORKFLOW + timedelta(seconds=draws.below(_AGES))
    updated = created + timedelta(seconds=draws.below(int((scraped - created).total_seconds())))
    first = draws.below(13)
    prose = passages()
    return Metadata(
        title=None if missing[0] < _SELDOM else title,
        description=None if missing[1] < _SELDOM else draws.prose(250 + draws.below(700), prose.markdown),
        use_case=draws.prose(120 + draws.below(200), prose.plain) if missing[2] < 110 else None,
        author_name=None if missing[3] < _SELDOM else author,
        author_url=None if missing[4] < _OFTEN else page,
        views=None if missing[5] < _SELDOM else views,
        shares=None if missing[6] < _OFTEN else views // (20 + draws.below(80)),
        categories=None if missing[7] < _SELDOM else vocabulary.CATEGORIES[first : first + 1 + draws.below(3)],
        tags=None if missing[8] < _OFTEN else tuple(draws.words(draws.below(6)).lower().split()),
        workflow_created_at=None if missing[9] < _SELDOM else created,
        workflow_updated_at=None if missing[10] < _OFTEN else updated,
        raw_metadata=None if missing[11] < _OFTEN else _raw_metadata(workflow_id, title, views, author),
        extracted_at=scraped if missing[11] & 31 else None,
    )


def _raw_metadata(workflow_id: str, title: str, views: int, author: str) -> Json:
    text = f'{{"id":{workflow_id},"name":"{title}","totalViews":{views},"price":0,"user":{{"name":"{author}"}}}}'
    return Json.trusted(text.encode())


def _structure(draws: Draws, title: str, scraped: datetime) -> Structure:
    named, missing = draws.chance(0.7), draws.bits(24).to_bytes(3, "little")
    document = build(draws, title if named else None)
    luck = draws.random()
    when = scraped if luck < 0.98 else None
    if luck < 0.008:
        return Structure(extraction_type="failed", fallback_used=True, extracted_at=scraped)
    kind = "fallback" if luck < 0.03 else "partial" if luck < 0.06 else "full"
    return Structure(
        node_count=None if missing[0] < _SELDOM else document.nodes,
        connection_count=None if missing[1] < _SELDOM else document.links,
        node_types=None if missing[2] < _SELDOM else document.types,
        extraction_type=None if missing[0] == 255 else kind,
        fallback_used=kind == "fallback",
        workflow_json=Json.trusted(document.raw),
        extracted_at=when,
    )


def _content(draws: Draws, videos: int, scraped: datetime) -> Content:
    missing = draws.bits(56).to_bytes(7, "little")
    prose = passages()
    explainer = f"{draws.prose(500 + draws.below(2_000), prose.markdown)}\n\n{draws.pick(vocabulary.RARE)}"
    if videos == 0 and missing[0] > 243:
        videos = 1  # a video without a transcript
    frames = videos if missing[1] < 128 else 0
    return Content(
        explainer_text=None if missing[2] < _SELDOM else explainer,
        explainer_html=f"<p>{explainer.replace(chr(10) * 2, '</p><p>')}</p>" if missing[3] < 64 else None,
        setup_instructions=draws.prose(200 + draws.below(500), prose.markdown) if missing[4] < 150 else None,
        use_instructions=draws.prose(150 + draws.below(300), prose.plain) if missing[5] < 100 else None,
        has_videos=videos > 0,
        video_count=videos,
        has_iframes=frames > 0,
        iframe_count=frames,
        raw_content=None
        if missing[6] < _OFTEN
        else Json.trusted(b'{"sections":%d,"characters":%d,"source":"page"}' % (3 + missing[6] % 5, len(explainer))),
        extracted_at=scraped if missing[6] & 31 else None,
    )


def _transcript(draws: Draws, scraped: datetime) -> Transcript:
    missing = draws.bits(64).to_bytes(8, "little")
    table = passages().plain
    spoken = [table[slot >> 3] for slot in draws.slots((2_000 + draws.below(4_000)) // PASSAGE_BYTES)]
    segments: list[str] = []
    clock = 0  # milliseconds
    for text in spoken:
        length = 60 * len(text)
        segments.append(f'{{"text":"{text}","offset":{clock},"duration":{length}}}')
        clock += length
    video = draws.hexadecimal(11)
    vimeo = missing[0] < 20
    return Transcript(
        video_url=f"https://vimeo.com/{video}" if vimeo else f"https://www.youtube.com/watch?v={video}",
        video_id=None if missing[1] < _SELDOM else video,
        platform=None if missing[2] < _SELDOM else "vimeo" if vimeo else "youtube",
        transcript_text=None if missing[3] < _SELDOM else " ".join(spoken),
        transcript_json=None
        if missing[4] < _OFTEN
        else Json.trusted(f'{{"segments":[{",".join(segments)}]}}'.encode()),
        duration=None if missing[5] < _SELDOM else clock / 1_000,
        language=None if missing[6] < _SELDOM else _LANGUAGES[missing[7] & 15],
        extracted_at=scraped if missing[7] & 31 else None,
    )
