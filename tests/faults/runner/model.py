"""What the store may hold: for every id the states that are possible after what its writers were told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.faults.runner.records import stamps_of
from tests.integration.model import Model, assert_same
from workflow_store import Workflow

State: TypeAlias = Workflow | None
Write: TypeAlias = Callable[[Model], object]


def written(state: State, workflow_id: str, write: Write) -> State:
    """The state after a write that the server has done."""
    model = Model()
    if state is not None:
        model[workflow_id] = state
        model.queue.see(workflow_id, state.url)
    write(model)
    return model.get(workflow_id)


def is_same(found: State, expected: State) -> bool:
    """Whether what was read is this state."""
    if found is None or expected is None:
        return found is expected
    try:
        assert_same(found, expected)
    except AssertionError:
        return False
    return True


@dataclass(slots=True)
class Private:
    """Ids of which each has one writer, who does one thing at a time.

    A write in doubt may also be done later, when a frozen network thaws. So an id is left alone from then on: what it
    may hold is what it held before, or what it would hold after.

    Attributes:
        possible: by id.
        doubtful: ids of which a write is in doubt.
        told: what the writers of an id were told, in order.
        together: ids whose doubtful writes were one transaction, with what each holds if it is stored.
    """

    possible: dict[str, list[State]] = field(default_factory=dict[str, list[State]])
    doubtful: set[str] = field(default_factory=set[str])
    told: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    together: list[Mapping[str, State]] = field(default_factory=list[Mapping[str, State]])

    def state(self, workflow_id: str) -> State:
        """What an id that is in no doubt holds."""
        (state,) = self.possible.get(workflow_id, [None])
        return state

    def acknowledged(self, workflow_id: str, write: Write) -> None:
        """It was done."""
        self.possible[workflow_id] = [written(self.state(workflow_id), workflow_id, write)]

    def in_doubt(self, writes: Mapping[str, Write], *, whole: bool = False) -> None:
        """They were done or not; with ``whole`` all of them or none."""
        after: dict[str, State] = {}
        for workflow_id, write in writes.items():
            before = self.state(workflow_id)
            after[workflow_id] = written(before, workflow_id, write)
            self.possible[workflow_id] = [before, after[workflow_id]]
            self.doubtful.add(workflow_id)
        if whole and len(after) > 1:
            self.together.append(after)

    def settle(self, workflow_id: str, *, stored: bool) -> None:
        """It was found out what came of a write in doubt; the id is still left alone."""
        before_and_after = self.possible[workflow_id]
        self.possible[workflow_id] = [before_and_after[-1 if stored else 0]]

    def refused(self, workflow_id: str) -> None:
        """It was not done, so that the id holds what it held."""
        self.possible.setdefault(workflow_id, [None])

    def wrong(self, workflow_id: str, found: State) -> str | None:
        """What is wrong with what was read of an id; None where nothing is."""
        states = self.possible.get(workflow_id, [None])
        if any(is_same(found, state) for state in states):
            return None
        expected = " or ".join(told(state) for state in states)
        return f"{workflow_id} holds {told(found)}, not {expected}; told: {', '.join(self.told.get(workflow_id, []))}"

    def torn(self, stored: Mapping[str, Workflow]) -> Iterable[str]:
        """Transactions of which a part is stored and a part is not."""
        for group in self.together:
            done = {workflow_id: is_same(stored.get(workflow_id), state) for workflow_id, state in group.items()}
            # One that was the same before tells nothing.
            telling = {key for key in group if not _is_the_same_before(self.possible[key])}
            if len({done[key] for key in telling}) > 1:
                yield f"half a transaction is stored: {done}"


def _is_the_same_before(states: list[State]) -> bool:
    return len(states) < 2 or is_same(states[0], states[1])


@dataclass(slots=True)
class _Attempt:
    began: float
    ended: float | None = None


@dataclass(slots=True)
class Shared:
    """Ids that everybody writes, always with all parts.

    What is stored at last is one of the values that were not refused, as a whole; and none that was acknowledged
    before another that was acknowledged too had begun.
    """

    attempts: dict[str, dict[int, _Attempt]] = field(default_factory=dict[str, dict[int, _Attempt]])

    def begins(self, workflow_id: str, stamp: int, now: float) -> None:
        """A writer is about to store this stamp."""
        self.attempts.setdefault(workflow_id, {})[stamp] = _Attempt(now)

    def acknowledged(self, workflow_id: str, stamp: int, now: float) -> None:
        """It was told that it is stored."""
        self.attempts[workflow_id][stamp].ended = now

    def refused(self, workflow_id: str, stamp: int) -> None:
        """It was told that it is not."""
        del self.attempts[workflow_id][stamp]

    def wrong(self, workflow_id: str, found: State, *, last: bool = False) -> str | None:
        """What is wrong with what was read of an id; None where nothing is.

        Args:
            last: whether nobody has written since.
        """
        attempts = self.attempts.get(workflow_id, {})
        ends = [attempt.ended for attempt in attempts.values() if attempt.ended is not None]
        if found is None:
            return f"{workflow_id} is gone, although it was stored" if ends and last else None
        stamps = stamps_of(found)
        if len(stamps) != 1:
            return f"{workflow_id} is torn: {sorted(stamps)}"
        (stamp,) = stamps
        attempt = attempts.get(stamp)
        if attempt is None:
            return f"{workflow_id} holds {stamp}, which was refused or never written"
        if last and attempt.ended is not None:
            later = [other for other in attempts.values() if other.ended is not None and other.began > attempt.ended]
            if later:
                return f"{workflow_id} holds {stamp}, although {len(later)} were stored after it"
        return None


def told(state: State) -> str:
    """A state in a few words."""
    if state is None:
        return "nothing"
    parts = [name for name in ("metadata", "structure", "content", "transcripts") if getattr(state, name) is not None]
    return f"{sorted(stamps_of(state))} with {', '.join(parts) or 'no part'} (retries {state.retry_count})"
