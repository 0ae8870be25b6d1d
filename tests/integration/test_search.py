from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from tests.records import full_workflow, small_workflow, with_views
from workflow_store import (
    Content,
    InvalidCursor,
    InvalidField,
    Json,
    Metadata,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Database, Session
from workflow_store.queries.search import CLEAR_MARKS, REFRESH_SEARCH
from workflow_store.repository import search as searching
from workflow_store.resources import statement
from workflow_store.schema import migrate
from workflow_store.settings import Settings

SPREAD = Workflow(
    workflow_id="spread",
    url="u",
    metadata=Metadata(
        title="Alpine greeter", description="Bravo is described", use_case="Charlie uses it", tags=("delta",)
    ),
    structure=Structure(
        node_types=("n8n-nodes-base.echo",),
        workflow_json=Json({"nodes": [{"name": "Foxtrot node", "parameters": {"secret": "hidden"}}]}),
    ),
    content=Content(explainer_text="Golf is explained"),
    transcripts=(Transcript(video_url="v", transcript_text="Hotel is spoken"),),
)


async def ids(store: WorkflowStore, query: str, **options: Any) -> list[str]:
    page = await store.search_workflows(query, **options)
    return [hit.workflow.workflow_id for hit in page.items]


@pytest.mark.parametrize(
    "word", ["alpine", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "describe", "alpine hotel"]
)
async def test_every_text_of_a_workflow_is_searched_and_two_words_may_stand_in_two_of_them(
    store: WorkflowStore, word: str
) -> None:
    await store.ingest([SPREAD, *(small_workflow(str(number)) for number in range(5))])
    await store.refresh_search()

    assert await ids(store, word) == ["spread"]
    assert await ids(store, f"{word} absent") == []
    assert await ids(store, "hidden") == []


async def test_titles_and_short_texts_are_found_at_once_and_long_ones_after_the_refresh(database_dsn: str) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1, search_refresh="manual") as store:
        await store.create_workflow(SPREAD)
        at_once = [await ids(store, word) for word in ("alpine", "bravo", "charlie", "hotel")]
        lag = await store.get_search_lag()
        made = await store.refresh_search()
        later = await ids(store, "hotel")

        assert at_once == [["spread"], ["spread"], ["spread"], []]
        assert (lag.pending, made, later) == (1, 1, ["spread"])
        assert lag.seconds >= 0
        assert (await store.get_search_lag()).pending == 0
        assert await store.refresh_search() == 0


async def test_a_store_refreshes_by_itself(store: WorkflowStore) -> None:
    await store.create_workflow(SPREAD)

    for _ in range(100):
        if await ids(store, "hotel"):
            break
        await asyncio.sleep(0.05)

    assert await ids(store, "hotel") == ["spread"]


async def test_weights_order_the_hits(store: WorkflowStore) -> None:
    await store.ingest(
        [
            small_workflow("d", content=Content(explainer_text="kiwi")),
            small_workflow("c", metadata=Metadata(title="x", tags=("kiwi",))),
            small_workflow("b", metadata=Metadata(title="x", description="kiwi")),
            small_workflow("a", metadata=Metadata(title="kiwi")),
        ]
    )
    await store.refresh_search()

    page = await store.search_workflows("kiwi")

    assert [hit.workflow.workflow_id for hit in page.items] == ["a", "b", "c", "d"]
    ranks = [hit.rank for hit in page.items]
    assert ranks == sorted(ranks, reverse=True)
    assert (page.total, page.capped, page.next) == (4, False, None)


async def test_what_people_type_into_a_search_box_is_understood(store: WorkflowStore) -> None:
    titles = {"1": "send telegram messages", "2": "telegram bot sends", "3": "slack messages", "4": "running flows"}
    await store.ingest([small_workflow(i, metadata=Metadata(title=title)) for i, title in titles.items()])

    assert await ids(store, "telegram") == ["1", "2"]
    assert await ids(store, "telegram -bot") == ["1"]
    assert await ids(store, '"telegram messages"') == ["1"]
    assert sorted(await ids(store, "slack or bot")) == ["2", "3"]
    assert await ids(store, "runs") == ["4"]


async def test_words_that_were_found_are_highlighted_and_hostile_text_stays_text(store: WorkflowStore) -> None:
    await store.create_workflow(
        small_workflow(
            "1",
            metadata=Metadata(title="A \ue000fake\ue001 <b>kiwi</b> & co", description="Nothing here"),
            content=Content(explainer_text="some words before " * 30 + "the kiwis grow" + " and words after" * 30),
        )
    )
    await store.refresh_search()

    (hit,) = (await store.search_workflows("kiwi")).items

    assert set(hit.highlights) == {"title", "explainer_text"}
    assert hit.highlights["title"].text == "A fake <b>kiwi</b> & co"
    assert hit.highlights["title"].matches == ("kiwi",)
    assert hit.highlights["title"].marked("[", "]") == "A fake <b>[kiwi]</b> & co"
    assert hit.highlights["explainer_text"].matches == ("kiwis",)
    assert len(hit.highlights["explainer_text"].text) < 400


@pytest.mark.parametrize("mode", ["fulltext", "substring", "fuzzy"])
async def test_pages_of_a_search_give_each_hit_once(store: WorkflowStore, mode: str) -> None:
    await store.ingest(
        [small_workflow(f"id{n:02}", metadata=Metadata(title="kiwi " * (1 + n % 3) + "tree")) for n in range(23)]
    )
    whole = await store.search_workflows("kiwi", mode=mode, limit=100, total=True)  # type: ignore[arg-type]

    seen: list[str] = []
    after = None
    while after is not None or not seen:
        page = await store.search_workflows("kiwi", mode=mode, limit=5, after=after)  # type: ignore[arg-type]
        seen += [hit.workflow.workflow_id for hit in page.items]
        after = page.next

    assert seen == [hit.workflow.workflow_id for hit in whole.items]
    assert sorted(seen) == [f"id{n:02}" for n in range(23)]
    assert whole.total == 23


async def test_filters_of_the_listing_narrow_a_search(store: WorkflowStore) -> None:
    await store.ingest(
        [small_workflow(str(n), metadata=Metadata(title="kiwi"), quality_score=10.0 * n) for n in range(6)]
    )

    for mode in ("fulltext", "substring", "fuzzy"):
        page = await store.search_workflows("kiwi", mode=mode, min_quality=40, total=True)
        assert sorted(hit.workflow.workflow_id for hit in page.items) == ["4", "5"]
        assert page.total == 2


async def test_substring_takes_percent_and_underscore_literally_whatever_the_case(store: WorkflowStore) -> None:
    titles = {"1": "100% Sure", "2": "snake_case", "3": "back\\slash", "4": "plain 1000 sure"}
    await store.ingest([small_workflow(i, metadata=Metadata(title=t, use_case=f"for {i}")) for i, t in titles.items()])

    async def found(query: str, **options: Any) -> list[str]:
        return await ids(store, query, mode="substring", **options)

    assert await found("%") == ["1"]
    assert await found("_") == ["2"]
    assert await found("\\") == ["3"]
    assert await found("SURE") == ["1", "4"]
    assert await found("for 2") == []
    assert await found("for 2", search_fields=["use_case"]) == ["2"]
    assert await found("for 2", search_fields="use_case") == ["2"]
    assert (await store.search_workflows("sure", mode="substring")).total is None


async def test_fuzzy_finds_misspelt_titles_the_nearest_first(store: WorkflowStore) -> None:
    titles = {"1": "Telegram AI agent with memory", "2": "Telegraph wires", "3": "Invoice parser", "4": "Зов Телеграма"}
    await store.ingest([small_workflow(i, metadata=Metadata(title=t)) for i, t in titles.items()])

    assert (await ids(store, "telegrm agent", mode="fuzzy"))[0] == "1"
    assert await ids(store, "invoce parsr", mode="fuzzy") == ["3"]
    assert await ids(store, "телеграмма", mode="fuzzy") == ["4"]
    assert await ids(store, "zzzzzz", mode="fuzzy") == []


async def test_suggest_completes_titles_by_their_words_the_most_viewed_first(store: WorkflowStore) -> None:
    titles = {"Telegram bot": 5, "Telephone list": 9, "My telegram": 100, "Invoice": 1, "100% done": 2, "100 done": 3}
    await store.ingest(
        [small_workflow(str(n), metadata=Metadata(title=t, views=v)) for n, (t, v) in enumerate(titles.items())]
    )
    await store.create_workflow(small_workflow("again", metadata=Metadata(title="Invoice", views=2)))

    assert await store.suggest("tele") == ["Telephone list", "Telegram bot", "My telegram"]
    assert await store.suggest("TELE", limit=1) == ["Telephone list"]
    assert await store.suggest("i") == ["Invoice"]
    assert await store.suggest("100%") == ["100% done"]
    assert await store.suggest("nothing") == []


@pytest.mark.parametrize(
    "query", ["", "   ", "a\x00b", "x" * 2_001, "\ud800", None, 5, "x" * 1_000_000], ids=lambda query: repr(query)[:12]
)
async def test_a_query_that_cannot_be_asked_is_a_typed_error(store: WorkflowStore, query: Any) -> None:
    with pytest.raises(InvalidField, match="query"):
        await store.search_workflows(query)


@pytest.mark.parametrize(
    "query",
    ["'", '"', "a & | ! b", "<->", ":*", "(((", "-", "-kiwi", "or", "the of and", "'; DROP TABLE x; --", "%", "\\",
     "🤖", "a" * 2_000, "kiwi " * 400],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["fulltext", "substring", "fuzzy"])
async def test_hostile_queries_give_a_result(store: WorkflowStore, query: str, mode: Any) -> None:
    await store.create_workflow(small_workflow("1", metadata=Metadata(title="kiwi")))

    page = await store.search_workflows(query, mode=mode)

    assert len(page) <= 1


async def test_misuse_names_what_is_allowed(store: WorkflowStore) -> None:
    with pytest.raises(InvalidField, match="allowed: fulltext, fuzzy, substring"):
        await store.search_workflows("x", mode="regex")  # type: ignore[arg-type]
    with pytest.raises(InvalidField, match="allowed: description, title, use_case"):
        await store.search_workflows("x", mode="substring", search_fields=["url"])  # type: ignore[list-item]
    with pytest.raises(InvalidField, match="name at least one"):
        await store.search_workflows("x", search_fields=[])
    with pytest.raises(InvalidField, match="prefix"):
        await store.suggest("")
    await store.ingest([small_workflow(str(n), metadata=Metadata(title="kiwi")) for n in range(3)])
    page = await store.search_workflows("kiwi", limit=1)
    with pytest.raises(InvalidCursor, match="another"):
        await store.search_workflows("tree", limit=1, after=page.next)
    with pytest.raises(InvalidCursor, match="damaged"):
        await store.search_workflows("kiwi", limit=1, after="!")


async def test_a_common_word_is_ranked_up_to_a_bound_titles_first_and_the_answer_says_so(
    store: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "RANKED_CANDIDATES", 10)
    await store.ingest(
        [small_workflow(f"long{n:02}", content=Content(explainer_text="kiwi")) for n in range(20)]
        + [small_workflow(f"title{n}", metadata=Metadata(title="kiwi")) for n in range(5)]
    )
    await store.refresh_search()

    page = await store.search_workflows("kiwi", limit=6)

    assert [hit.workflow.workflow_id for hit in page.items][:5] == [f"title{n}" for n in range(5)]
    assert (page.total, page.capped) == (10, True)


async def marked(session: Session) -> set[str]:
    rows = await session.connection.fetch("SELECT workflow_id FROM workflow_store.workflow_search_pending")
    return {row[0] for row in rows}


async def test_only_texts_that_changed_ask_for_a_new_document(database_dsn: str, session: Session) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1, search_refresh="manual") as store:
        workflows = [full_workflow(str(number)) for number in range(5)]
        await store.ingest(workflows)
        assert await marked(session) == {"0", "1", "2", "3", "4"}
        await store.refresh_search()

        await store.ingest([with_views(workflow, 9) for workflow in workflows])
        assert await marked(session) == set()

        await store.ingest(
            [
                full_workflow("0", content=Content(explainer_text="new")),
                full_workflow("1", transcripts=()),
                full_workflow("2", structure=Structure(workflow_json=Json({}))),
                full_workflow("3", metadata=Metadata(title="new", views=9)),
                full_workflow("4", quality_score=1.0, metadata=None),
            ]
        )
        assert await marked(session) == {"0", "1", "2", "3"}


async def test_a_mark_renewed_during_a_refresh_stays(database_dsn: str, session: Session) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1, search_refresh="manual") as store:
        await store.create_workflow(SPREAD)
        async with session.transaction():
            (made,) = await session.fetch(REFRESH_SEARCH, ["spread"])
            await store.upsert_workflow(SPREAD.model_copy(update={"content": Content(explainer_text="india")}))
            cleared = await session.fetch(CLEAR_MARKS, [made.workflow_id], [made.mark])

        assert cleared == []
        assert await marked(session) == {"spread"}
        assert await store.refresh_search() == 1
        assert await ids(store, "india") == ["spread"]


async def test_a_refresh_and_a_delete_of_the_same_workflow_do_not_deadlock(
    store: WorkflowStore, session: Session
) -> None:
    await store.create_workflow(SPREAD)
    await store.refresh_search()
    await store.upsert_workflow(SPREAD.model_copy(update={"content": Content(explainer_text="india")}))

    async with session.transaction():
        made = await session.fetch(REFRESH_SEARCH, ["spread"])
        deleting = asyncio.create_task(store.delete_workflow("spread"))
        await asyncio.sleep(0.2)
        await session.fetch(CLEAR_MARKS, [row.workflow_id for row in made], [row.mark for row in made])

    assert await deleting is True


async def test_a_deleted_workflow_is_found_no_more_and_leaves_no_mark(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(SPREAD)
    await store.refresh_search()
    await store.create_workflow(small_workflow("marked"))
    await store.delete_workflow("spread")
    await store.delete_workflow("marked")
    await store.refresh_search()

    assert await ids(store, "alpine") == []
    assert await marked(session) == set()


async def test_megabytes_of_unique_words_are_stored_and_searched(store: WorkflowStore) -> None:
    words = " ".join(f"w{number:x}" for number in range(700_000))
    short = " ".join(f"{number:x}-{number:x}" for number in range(200_000))
    cyrillic = " ".join(chr(0x430 + n % 32) + chr(0x430 + n // 32 % 32) + chr(0x430 + n // 1024) for n in range(30_000))
    await store.ingest(
        [
            small_workflow(
                "words", content=Content(explainer_text=words), metadata=Metadata(title="t", description=words)
            ),
            small_workflow("short", content=Content(explainer_text=short)),
            small_workflow("spoken", transcripts=(Transcript(video_url="v", transcript_text=short + words),)),
            small_workflow("cyrillic", content=Content(explainer_text=cyrillic + " " + words)),
        ]
    )

    made = await store.refresh_search()
    lag = await store.get_search_lag()

    assert (made >= 0, lag.pending) == (True, 0)
    assert sorted(await ids(store, "w1")) == ["words"]


async def test_a_document_the_server_refuses_does_not_hold_up_the_others(
    database_dsn: str, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    await session.connection.execute(
        "ALTER TABLE workflow_store.workflow_search ADD CONSTRAINT fussy CHECK (NOT document @@ 'golf')"
    )
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1, search_refresh="manual") as store:
        await store.ingest([SPREAD, *(small_workflow(f"id{number}") for number in range(9))])
        with caplog.at_level(logging.WARNING, "workflow_store.search"):
            made = await store.refresh_search()

        assert made == 9
        assert await marked(session) == {"spread"}
        assert "no search document can be made of workflow 'spread'" in caplog.text
        assert await ids(store, "alpine") == ["spread"]


async def test_two_indexers_share_one_database_without_doing_the_work_twice(
    database_dsn: str, store: WorkflowStore
) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1, search_refresh="manual") as other:
        await other.ingest([small_workflow(f"id{number:03}") for number in range(450)])
        made = await asyncio.gather(other.refresh_search(), store.refresh_search())

        assert sum(made) >= 450
        assert (await other.get_search_lag()).pending == 0


async def test_the_language_is_chosen_when_the_schema_is_made(empty_database: str) -> None:
    await migrate(empty_database, language="simple")
    await migrate(empty_database, language="german")

    async with WorkflowStore.open(dsn=empty_database, pool_min_size=1) as store:
        await store.create_workflow(small_workflow("1", metadata=Metadata(title="The running flows")))
        assert await ids(store, "the") == ["1"]
        assert await ids(store, "runs") == []


async def test_an_unknown_language_is_told_by_the_migration(empty_database: str) -> None:
    with pytest.raises(Exception, match="klingon"):
        await migrate(empty_database, language="klingon")


async def test_an_extension_that_lives_elsewhere_serves_too(empty_database: str, workflow_store_server: Any) -> None:
    database = await Database.open(empty_database, Settings.load(pool_min_size=0))
    async with database.session() as session:
        await session.connection.execute("CREATE SCHEMA other; CREATE EXTENSION pg_trgm SCHEMA other")
    await database.close()
    await migrate(empty_database)

    async with WorkflowStore.open(dsn=empty_database, pool_min_size=1) as store:
        await store.create_workflow(small_workflow("1", metadata=Metadata(title="Telegram")))
        assert await ids(store, "telegrm", mode="fuzzy") == ["1"]


async def test_fuzzy_and_suggest_use_the_index_of_trigrams(store: WorkflowStore, session: Session) -> None:
    await store.ingest([small_workflow(f"id{n}", metadata=Metadata(title=f"t{n * 7919:x} flow")) for n in range(3000)])
    await session.connection.execute("VACUUM ANALYZE workflow_store.workflows")

    await session.connection.execute("SET enable_seqscan = off")
    plan = await session.connection.fetch(
        "EXPLAIN SELECT 1 FROM workflow_store.workflows AS w "
        "WHERE workflow_store.resembles(w.title_key COLLATE \"default\", 'kiwi tree')"
    )
    suggested = await session.connection.fetch(
        f"EXPLAIN {statement('search/suggest')}".replace("$1", "'kiw%'")
        .replace("$2", "'% kiw%'")
        .replace("$3", "9")
        .replace("$4", "9")
    )

    assert any("workflows_title_trigrams_idx" in row[0] for row in plan)
    assert sum("workflows_title_trigrams_idx" in row[0] for row in suggested) == 2
