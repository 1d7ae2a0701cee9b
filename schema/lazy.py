"""Types that refer to each other across modules, named without importing them.

An agency has teams, a team has an agency: neither module could import the other first. Strawberry looks a lazy type up
when the schema is built; the imports below are for the type checker alone.
"""

from typing import TYPE_CHECKING, Annotated

from strawberry import lazy

if TYPE_CHECKING:
    from schema.action_plan import ActionPlan
    from schema.agency import Agency, OrgUnit
    from schema.category import Category
    from schema.complaint import Complaint, ComplaintConnection
    from schema.region import Region
    from schema.reporter import Reporter
    from schema.team import Team, TeamMember

LazyActionPlan = Annotated["ActionPlan", lazy("schema.action_plan")]
LazyAgency = Annotated["Agency", lazy("schema.agency")]
LazyCategory = Annotated["Category", lazy("schema.category")]
LazyComplaint = Annotated["Complaint", lazy("schema.complaint")]
LazyComplaintConnection = Annotated["ComplaintConnection", lazy("schema.complaint")]
LazyOrgUnit = Annotated["OrgUnit", lazy("schema.agency")]
LazyRegion = Annotated["Region", lazy("schema.region")]
LazyReporter = Annotated["Reporter", lazy("schema.reporter")]
LazyTeam = Annotated["Team", lazy("schema.team")]
LazyTeamMember = Annotated["TeamMember", lazy("schema.team")]
