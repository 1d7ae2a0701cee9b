"""UserError, and the attempt that every mutation makes of its input."""

import dataclasses
import hashlib
from typing import Any

import orjson

from resolvers.request.update import Attempt
from schema.binding import column, object_type
from schema.enums import UserErrorCode
from schema.page import ContextInfo


@object_type()
class UserError:
    """A rule that refused the mutation, which changed nothing."""

    code: UserErrorCode
    message: str = column(
        "message", description="One sentence with the offending value and, if there is one, the way out."
    )
    field: list[str] | None = column(
        "field", description='Path of the offending input field, e.g. ["input", "body"]; null if there is none.'
    )


def make_attempt(info: ContextInfo, input: Any) -> Attempt:
    """Returns this call as the idempotency check sees it: the same key with another input is a conflict."""
    digest = "" if input.idempotency_key is None else _digest_input(input)
    return Attempt(info.field_name, digest, getattr(input, "expected_revision", None), input.idempotency_key)


def _digest_input(input: Any) -> str:
    values = dataclasses.asdict(input)
    del values["idempotency_key"]
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
