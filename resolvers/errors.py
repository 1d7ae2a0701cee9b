"""Errors that the client sees: Refused for a mutation that a rule forbids, RequestError for any other request.

Each subclass of Refused stands for one code of the GraphQL enum `UserErrorCode`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class Refused(Exception):
    """A rule forbids the mutation. The client sees code, message and `field`, the path of the input field at fault.

    `document` is the current document, for the payload, if the viewer may read it and it explains the refusal.
    """

    code: ClassVar[str]

    def __init__(
        self, message: str, *, field: tuple[str, ...] | None = None, document: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.document = document


class NotFound(Refused):
    code = "NOT_FOUND"


class NotAllowed(Refused):
    code = "NOT_ALLOWED"


class WrongStatus(Refused):
    code = "WRONG_STATUS"


class ChangedMeanwhile(Refused):
    code = "CHANGED_MEANWHILE"


class InvalidInput(Refused):
    code = "INVALID_INPUT"


class LimitReached(Refused):
    code = "LIMIT_REACHED"


class TeamNotActive(Refused):
    code = "TEAM_NOT_ACTIVE"


class IdempotencyConflict(Refused):
    code = "IDEMPOTENCY_CONFLICT"


class RequestError(Exception):
    """A request cannot be answered: its message goes to `errors`, its code to `extensions`."""

    code: ClassVar[str]

    @property
    def extensions(self) -> dict[str, str]:
        return {"code": self.code}


class InvalidArgument(RequestError):
    code = "BAD_USER_INPUT"


class PurposeRequired(RequestError):
    code = "PURPOSE_REQUIRED"


class TookTooLong(RequestError):
    code = "TIMEOUT"


class NotReadable(RequestError):
    """The object does not exist, or the viewer may not know that it does: the two look the same."""

    code = "NOT_FOUND"


class Forbidden(RequestError):
    code = "FORBIDDEN"


class ReadAnew(RequestError):
    """The client has missed changes that are no longer known: it must read the state again."""

    code = "READ_ANEW"


class NotLive(RequestError):
    """This process has no stream of changes now."""

    code = "UNAVAILABLE"


class FellBehind(Exception):
    """The subscriber was too slow: more events wait for it than the limit allows."""


class StateLost(Exception):
    """The stream has lost changes: the subscriber's state may be old."""
