"""``Begun``: an awaitable whose first step was made at once, without a turn of the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Begun(Generic[Result]):
    """What may be there already: then nothing has to be set up for waiting, such as a timer.

    It has to be awaited where it is not done, by the task that made it.

    Attributes:
        is_done: whether ``result`` is there.
        result: where it is done.
    """

    __slots__ = ("_steps", "_waits_for", "is_done", "result")

    result: Result

    def __init__(self, awaitable: Awaitable[Result]) -> None:
        self._steps: Generator[Any, Any, Result] = awaitable.__await__()
        self.is_done: bool = False
        self._step(None, None)

    def __await__(self) -> Generator[Any, Any, Result]:
        while not self.is_done:
            try:
                answer = yield self._waits_for
            except GeneratorExit:
                self._steps.close()
                raise
            except BaseException as error:
                self._step(None, error)
            else:
                self._step(answer, None)
        return self.result

    def _step(self, answer: Any, error: BaseException | None) -> None:
        try:
            self._waits_for: Any = self._steps.send(answer) if error is None else self._steps.throw(error)
        except StopIteration as end:
            self.result = end.value
            self.is_done = True
