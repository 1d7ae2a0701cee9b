"""Two answers to one operation: what must be equal between the compiled executor's and the reference executor's."""

import copy
import os
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
)
from support.operations import Asked

from gateway.executor.answer import OperationResult
from gateway.executor.field_collector import Unsupported
from gateway.executor.run import Declined, OperationRun
from gateway.operation.document import Documents, InvalidDocument
from gateway.operation.prepare import BoundOperation, prepare
from resolvers.request.context import RequestContext

OPERATIONS = int(os.environ.get("SATUGRAF_TEST_OPERATIONS", "1000"))
SEED = int(os.environ.get("SATUGRAF_TEST_SEED", "20261125"))
NO_LIMIT = 10**9
NOW = datetime(2026, 11, 24, 3, 4, 5, 678000, tzinfo=UTC)
OTHERS = (7, 2**40, 0.5, float("nan"), float("inf"), True, "x", {"x": 1}, NOW, ["x"], [None])

Told = dict[str, set[tuple[str, str]]]


def corrupted(document: Mapping[str, Any], chance: random.Random) -> Any:
    """The document with one key missing, null, of another type, or no member of its enum."""
    broken = copy.deepcopy(dict(document))
    place: Any = broken
    for _ in range(2):
        inner = [value for value in place.values() if isinstance(value, dict)]
        inner += [
            value[0] for value in place.values() if isinstance(value, list) and value and isinstance(value[0], dict)
        ]
        if inner and chance.random() < 0.4:
            place = chance.choice(inner)
    key = chance.choice([key for key in place if key != "_id"])
    match chance.randint(0, 3):
        case 0:
            del place[key]
        case 1:
            place[key] = None
        case 2:
            # An index takes no document with two lists in its keys: those of complaints are broken in other ways.
            place[key] = chance.choice(OTHERS if place is not broken else OTHERS[:-2])
        case _:
            place[key] = "NO_SUCH_VALUE"
    return broken


def prepared(documents: Documents, asked: Asked) -> BoundOperation | None:
    """None for what is refused before it runs: both executors would never see it."""
    try:
        return prepare(documents, asked.text, asked.operation_name, asked.variables, NO_LIMIT)
    except InvalidDocument:
        return None


def told(data: Any, errors: Sequence[GraphQLError]) -> Told:
    """Paths and messages, by the place in the data that became null for them."""
    places: Told = {}
    for error in errors:
        place, here = [], data
        for key in error.path or ():
            if here is None:
                break
            place.append(str(key))
            here = here[key]
        places.setdefault(str(place), set()).add((str(error.path), error.message))
    return places


def without_non_null(output: Any) -> Any:
    if isinstance(output, GraphQLNonNull):
        return without_non_null(output.of_type)
    return GraphQLList(without_non_null(output.of_type)) if isinstance(output, GraphQLList) else output


def forgiving(built: GraphQLSchema) -> GraphQLSchema:
    """The contract with every output nullable: no error hides another. `built` is changed to it."""
    for named in built.type_map.values():
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            for declared in named.fields.values():
                declared.type = without_non_null(declared.type)
    return built


def untrue(errors: Sequence[GraphQLError], whole: ExecutionResult) -> list[GraphQLError]:
    """The errors that are not there when all of them are told, and those of nulls where there is a value."""
    known = {(str(error.path), error.message) for error in whole.errors or ()}
    failed = {path for path, _ in known}

    def is_true(error: GraphQLError) -> bool:
        if not error.message.startswith("Cannot return null for non-nullable field"):
            return (str(error.path), error.message) in known
        here: Any = whole.data
        for key in error.path or ():
            here = here[key]
        return here is None and str(error.path) not in failed

    return [error for error in errors if not is_true(error)]


async def check_same(
    asked: Any, compiled: OperationResult, expected: ExecutionResult, whole: Callable[[], Awaitable[ExecutionResult]]
) -> None:
    """Data are equal byte for byte, and so are the places of nulls that have errors, and errors where each has one.

    Of several that fail below one null, the specification lets an executor tell any: the reference tells those which
    its reads brought first, another one each time. Each that is told must be among all that there are: those of
    `whole`, the answer of the contract with every output nullable.
    """
    assert orjson.dumps(compiled.data) == orjson.dumps(expected.data), asked
    found, wanted = told(compiled.data, compiled.errors), told(expected.data, expected.errors or ())
    assert found.keys() == wanted.keys(), (asked, found, wanted)
    if found != wanted:
        assert untrue(compiled.errors, await whole()) == [], (asked, found, wanted)


async def outcome(operation: BoundOperation, context: RequestContext) -> str:
    """How the program fared by itself."""
    if isinstance(operation.program, Unsupported):
        return operation.program.reason
    try:
        await operation.program.run(OperationRun(context, operation.variables, operation.program.source))
    except Declined:
        return "declined"
    return "compiled"
