"""Writes operations that select every field of every type below a root, with inputs that pass validation."""

from functools import cache
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

import schema

BUILT = schema.build()._schema
assert BUILT.query_type is not None
assert BUILT.mutation_type is not None
QUERIES: dict[str, GraphQLField] = dict(BUILT.query_type.fields)
MUTATIONS: dict[str, GraphQLField] = dict(BUILT.mutation_type.fields)
assert BUILT.subscription_type is not None
SUBSCRIPTIONS: dict[str, GraphQLField] = dict(BUILT.subscription_type.fields)

KNOWN: dict[str, Any] = {
    "code": "51.03",
    "agency": "kab-badung",
    "holder": "kab-badung",
    "to": "kab-gianyar",
    "category": "ROAD.POTHOLE",
    "region": "51.03",
    "parent": "51",
    "unit": "kab-badung/dinas-pupr",
    "text": "Jalan berlubang di Kuta sejak dua bulan",
    "stars": 3,
}
"""Values of arguments and input fields by name. For other names the type decides."""


MAX_LISTS = 2
"""Nested lists multiply the answer, so deeper ones are left out here; another root reaches them."""


@cache
def select_everything(returned: Any, path: tuple[str, ...] = (), *, lists: int = 0, alias: str = "") -> str:
    """Returns a selection set of every field, without recursion into the same type; "" for a scalar.

    `alias` is the prefix of the response keys.
    """
    named = get_named_type(returned)
    # An interface without types here (only agencies' subgraphs implement it) is selected by its own fields.
    if isinstance(named, GraphQLInterfaceType) and (types := BUILT.get_possible_types(named)):
        parts = [f"... on {each.name} {select_everything(each, path, lists=lists, alias=each.name)}" for each in types]
        return f"{{ __typename {' '.join(parts)} }}"
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    lists += _is_list(returned)
    selected = []
    for name, field in named.fields.items():
        inner = get_named_type(field.type)
        composite = isinstance(inner, GraphQLObjectType | GraphQLInterfaceType)
        too_deep = composite and (inner.name in path or (_is_list(field.type) and lists >= MAX_LISTS))
        if too_deep or any(is_required_argument(argument) for argument in field.args.values()):
            continue
        key = f"{alias}_{name}: {name}" if alias else name
        further = select_everything(field.type, (*path, named.name), lists=lists)
        if not composite or further != "{ __typename  }":
            selected.append(f"{key} {further}")
    return f"{{ __typename {' '.join(selected)} }}"


def make_arguments(field: GraphQLField, complaint_id: str) -> dict[str, Any]:
    """Returns the required arguments, and those that name a complaint or limit the answer."""
    wanted = {"complaint", "id", "region", "parent", "first"}
    found = {
        name: make_value(name, argument.type, complaint_id)
        for name, argument in field.args.items()
        if is_required_argument(argument) or name in wanted
    }
    return found | ({"first": 5} if "first" in found else {})


def make_value(name: str, wanted: Any, complaint_id: str) -> Any:
    """Returns a value of the type: the complaint's id for an ID, otherwise the simplest valid value."""
    named = get_named_type(wanted)
    if isinstance(named, GraphQLInputObjectType):
        inner = {
            key: make_value(key, field.type, complaint_id)
            for key, field in named.fields.items()
            if is_required_input_field(field) or _is_secret(key, field)
        }
        return [inner] if _is_list(wanted) else inner
    found = None if isinstance(named, GraphQLEnumType) else KNOWN.get(name)
    if found is None:
        found = _make_simplest(name, named, complaint_id)
    return [found] if _is_list(wanted) else found


def _is_secret(key: str, field: GraphQLInputField) -> bool:
    return key == "secret"


def _is_list(wanted: Any) -> bool:
    return is_list_type(wanted.of_type if isinstance(wanted, GraphQLNonNull) else wanted)


def _make_simplest(name: str, named: Any, complaint_id: str) -> Any:
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    if name == "followUp":
        return f"{complaint_id}/1"
    simplest: dict[str, Any] = {
        "ID": complaint_id,
        "Int": 1,
        "Float": 1.0,
        "Boolean": True,
        "Date": "2026-11-24",
        "DateTime": "2026-11-24T00:00:00Z",
    }
    return simplest.get(named.name, "Kalimat yang cukup panjang.")


def find_input_fields(field: GraphQLField) -> dict[str, GraphQLInputField]:
    """Returns the fields of a mutation's `input`."""
    named = cast("GraphQLInputObjectType", get_named_type(field.args["input"].type))
    return dict(named.fields)


def write_operation(kind: str, name: str, field: GraphQLField, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns a document that selects everything of the root field, and its variables."""
    declared = ", ".join(f"${key}: {field.args[key].type}" for key in given)
    passed = ", ".join(f"{key}: ${key}" for key in given)
    head = f"{kind} ({declared})" if given else kind
    call = f"{name}({passed})" if given else name
    return f"{head} {{ asked: {call} {select_everything(field.type)} }}", given
