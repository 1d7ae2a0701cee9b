"""How far a measurement has come, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

STDERR = Console(stderr=True)


class Bar:
    """One bar; `step` says what is done next, after the step before it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total)
        self._done = -1

    def step(self, doing: str) -> None:
        self._done += 1
        self._progress.update(self._task, completed=self._done, description=doing)


@contextmanager
def bar(total: int) -> Iterator[Bar]:
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=STDERR) as progress:
        yield Bar(progress, total)
