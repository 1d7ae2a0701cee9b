"""Shows the progress of a measurement on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

STDERR = Console(stderr=True)


class Bar:
    """A progress bar. `step` ends the current step and names the next one."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total)
        self._done = -1

    def step(self, doing: str) -> None:
        self._done += 1
        self._progress.update(self._task, completed=self._done, description=doing)


@contextmanager
def show_bar(total: int) -> Iterator[Bar]:
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=STDERR) as progress:
        yield Bar(progress, total)
