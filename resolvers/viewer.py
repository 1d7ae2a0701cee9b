"""Viewer: role, agency, unit: who is asking, as the credentials say."""

from dataclasses import dataclass

from resolvers.domain.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """`subject` is the token's `sub`; `agency` and `unit` are ids and set for agencies' staff and systems only."""

    role: Role = Role.PUBLIC
    subject: str | None = None
    agency: str | None = None
    unit: str | None = None
    scopes: frozenset[str] = frozenset()


PUBLIC = Viewer()

SYSTEM = Viewer(Role.SYSTEM)
"""Who acts in an operator's command."""
