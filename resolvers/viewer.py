"""Viewer: who sends the request, as the credentials say: role, account, agency, unit."""

from dataclasses import dataclass

from resolvers.domain.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """A request without credentials has the role PUBLIC."""

    role: Role = Role.PUBLIC
    subject: str | None = None
    """The account: the `sub` claim of the token."""
    agency: str | None = None
    """An id; only for the staff and the systems of agencies."""
    unit: str | None = None
    """An id; only for staff who work in one unit."""
    scopes: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        # The policy looks up a viewer's groups for every row. Hashing the enum too would take four times as long.
        return hash((self.subject, self.agency, self.unit))


PUBLIC = Viewer()

SYSTEM = Viewer(Role.SYSTEM)
"""The system: its own steps on complaints, and an operator's commands."""
