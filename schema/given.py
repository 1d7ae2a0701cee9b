"""What an input holds, under the contract's names."""

import dataclasses
from typing import Any

from strawberry.utils.str_converters import to_camel_case


def given(input: Any) -> dict[str, Any]:
    """The values that were given, inputs inside it likewise; what is null or absent is left out."""
    if input is None:
        return {}
    values = {to_camel_case(field.name.rstrip("_")): getattr(input, field.name) for field in dataclasses.fields(input)}
    return {
        name: given(value) if dataclasses.is_dataclass(value) else value
        for name, value in values.items()
        if value is not None
    }
