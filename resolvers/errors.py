"""Refused and its subclasses: one class, one code of `UserErrorCode`; RequestError: a read that cannot be answered."""

from collections.abc import Mapping
from typing import Any, ClassVar


class Refused(Exception):
    """A rule says no: the client sees `code`, the sentence, and the path of the input field at fault.

    `document` is the current state, where the viewer may read it and it helps to see it.
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
    """A request cannot be answered as asked: goes to `errors`, with the code in `extensions`."""

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
    """There is no such thing, or it is not the viewer's to know of: the two look the same."""

    code = "NOT_FOUND"


class Forbidden(RequestError):
    code = "FORBIDDEN"


class ReadAnew(RequestError):
    """Changes are missing between what the client knows and now."""

    code = "READ_ANEW"


class NotLive(RequestError):
    code = "UNAVAILABLE"


class FellBehind(Exception):
    """More events wait for the subscriber than may."""


class StateLost(Exception):
    """Changes are missing: what the subscriber knows may be old."""
