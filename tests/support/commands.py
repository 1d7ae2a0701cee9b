"""The commands that a client has sent to the database."""

from typing import Any

from pymongo.monitoring import CommandListener, CommandStartedEvent


class Commands(CommandListener):
    """Goes to `connect` as an event listener; `sent` holds the commands as they went out."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(dict(event.command))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...
