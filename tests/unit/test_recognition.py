"""What an ingest does not read, in whatever order answers and items come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import small_workflow, with_views
from workflow_store import Rejected, Workflow
from workflow_store.ingest import IngestOptions
from workflow_store.ingest.recognition import Answer, Recognition
from workflow_store.queries.hashing import workflow_hash
from workflow_store.queries.parameters import Limits

Item = Workflow | Rejected


def options(batch_size: int) -> IngestOptions:
    return IngestOptions(limits=Limits(), batch_size=batch_size, connections=2)


class Store:
    """What is stored, by id; what comes out of the recognition is stored some items later."""

    def __init__(self, stored: Sequence[Workflow], batch_size: int, delay: int, is_slow: bool) -> None:
        self.stored = {one.workflow_id: one for one in stored}
        self.coming: list[Workflow] = []
        self.delay = delay
        self.is_slow = is_slow
        self.questions = 0
        self.passed = 0
        self.recognition = Recognition(options(batch_size), ask=self._ask, busy=self._busy, passed=self._pass)

    async def _ask(self, workflow_ids: Sequence[str], hashes: Sequence[str]) -> Answer:
        self.questions += 1
        assert len(set(workflow_ids)) == len(workflow_ids) == len(hashes)
        answer: Answer = asyncio.get_running_loop().create_future()
        known = [
            one
            for one, digest in zip(workflow_ids, hashes, strict=True)
            if one in self.stored and hash_of(self.stored[one]) == digest
        ]
        if self.is_slow:
            asyncio.get_running_loop().call_later(0, answer.set_result, known)
        else:
            answer.set_result(known)
        return answer

    def _busy(self) -> set[str]:
        return {one.workflow_id for one in self.coming}

    def _pass(self, items: int, again: int, size: int) -> None:
        assert items >= again >= 0
        assert size > 0
        self.passed += items

    async def ingest(self, source: Sequence[Item]) -> list[Item]:
        given: list[Item] = []
        async for item, line_hash in self.recognition.items(source):
            assert line_hash is None
            given.append(item)
            if isinstance(item, Workflow):
                self.coming.append(item)
            while len(self.coming) > self.delay:
                self._land()
        while self.coming:
            self._land()
        return given

    def _land(self) -> None:
        one = self.coming.pop(0)
        self.stored[one.workflow_id] = one


def hash_of(workflow: Workflow) -> str:
    return workflow_hash(workflow, Limits(), replace=False)[0]


VERSIONS = [with_views(small_workflow(f"w{number}"), views) for number in range(4) for views in range(3)]
BAD = Rejected("a page", "it was empty", b"<html>")


@settings(max_examples=300, deadline=None)
@given(
    stored=st.lists(st.sampled_from(VERSIONS), max_size=6),
    source=st.lists(st.sampled_from([*VERSIONS, BAD]), max_size=30),
    batch_size=st.integers(1, 8),
    delay=st.integers(0, 6),
    is_slow=st.booleans(),
)
def test_the_last_of_each_is_what_stays(
    stored: list[Workflow], source: list[Item], batch_size: int, delay: int, is_slow: bool
) -> None:
    expected = {one.workflow_id: one for one in [*stored, *source] if isinstance(one, Workflow)}

    async def run() -> None:
        store = Store(stored, batch_size, delay, is_slow)
        given = await store.ingest(source)

        assert store.stored == expected
        assert store.passed + len(given) == len(source)
        # In order, without what was passed over.
        rest = iter(source)
        assert all(any(one is other for other in rest) for one in given)
        assert given.count(BAD) == source.count(BAD)

    asyncio.run(run())


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_question_that_was_asked_before_a_change_came_is_not_believed(is_slow: bool) -> None:
    one, other = VERSIONS[0], VERSIONS[1]
    store = Store([one], 1, delay=9, is_slow=is_slow)

    assert await store.ingest([other, one]) == [other, one]


async def test_two_versions_in_one_question_are_both_given() -> None:
    one, other = VERSIONS[0], VERSIONS[1]
    store = Store([one], 8, delay=0, is_slow=False)

    assert await store.ingest([one, other]) == [one, other]


async def test_where_most_is_new_no_more_is_asked() -> None:
    new = [small_workflow(str(number)) for number in range(400)]
    store = Store([], 50, delay=0, is_slow=False)

    assert await store.ingest(new) == new
    assert store.questions == 1


async def test_once_most_is_found_unchanged_it_is_asked_again() -> None:
    new = [small_workflow(str(number)) for number in range(40)]
    store = Store([], 50, delay=0, is_slow=False)
    await store.ingest(new)
    store.recognition.encourage()

    assert (await store.ingest(new), store.passed) == ([], 40)


async def test_some_are_asked_for_in_one_question() -> None:
    known = [small_workflow(str(number)) for number in range(432)]
    store = Store(known, 100, delay=0, is_slow=True)

    assert (await store.ingest(known), store.passed) == ([], 432)
    # The first 32, and then a hundred each.
    assert store.questions <= 1 + 4 + 1
