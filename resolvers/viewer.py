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

    def __hash__(self) -> int:
        # What follows from a viewer is looked up for every row: a hash of the enum too takes four times as long.
        return hash((self.subject, self.agency, self.unit))


PUBLIC = Viewer()

SYSTEM = Viewer(Role.SYSTEM)
"""The system itself: in what it does without being asked, and in an operator's command."""
