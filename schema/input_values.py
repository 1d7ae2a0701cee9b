"""Turns GraphQL inputs into dicts with the contract's names."""

import dataclasses
from typing import Any

from strawberry.utils.str_converters import to_camel_case


def to_dict(input: Any) -> dict[str, Any]:
    """Returns the values of an input, and of the inputs inside it. Null and absent values are left out.

    AgencyFilter(kinds=[CITY], search=None) → {"kinds": [CITY]};  DateTimeRange(from_=t) → {"from": t}
    """
    if input is None:
        return {}
    values = {to_camel_case(field.name.rstrip("_")): getattr(input, field.name) for field in dataclasses.fields(input)}
    return {
        name: to_dict(value) if dataclasses.is_dataclass(value) else value
        for name, value in values.items()
        if value is not None
    }
