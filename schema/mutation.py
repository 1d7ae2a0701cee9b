"""The root mutation type; each field is bound to a function in `resolvers/`."""

from schema import (
    action_plan,
    agency_mutations,
    complaint_mutations,
    course_mutations,
    follow_up_mutations,
    reporter_mutations,
    subgraph,
    team_mutations,
)
from schema.action_plan import ActionPlanPayload
from schema.agency_mutations import AgencyPayload
from schema.binding import object_type
from schema.complaint_mutations import ComplaintPayload, SubmitComplaintPayload
from schema.subgraph import CheckSubgraphPayload, PublishSubgraphPayload, RetireSubgraphPayload
from schema.team_mutations import TeamPayload


@object_type()
class Mutation:
    """Every mutation takes one `input`.

    With `expectedRevision`, a mutation is refused if the document has changed since that revision; with null, the last
    writer wins. A repeated `idempotencyKey` returns the first result and changes nothing again. A refusal is in
    `userErrors`, and changed nothing.
    """

    submit_complaint: SubmitComplaintPayload = complaint_mutations.submit_complaint
    request_information: ComplaintPayload = complaint_mutations.request_information
    supply_information: ComplaintPayload = complaint_mutations.supply_information
    verify_complaint: ComplaintPayload = complaint_mutations.verify_complaint
    forward_complaint: ComplaintPayload = complaint_mutations.forward_complaint
    return_complaint: ComplaintPayload = complaint_mutations.return_complaint
    accept_complaint: ComplaintPayload = complaint_mutations.accept_complaint
    hold_complaint: ComplaintPayload = course_mutations.hold_complaint
    resume_complaint: ComplaintPayload = course_mutations.resume_complaint
    add_follow_up: ComplaintPayload = follow_up_mutations.add_follow_up
    approve_follow_up: ComplaintPayload = follow_up_mutations.approve_follow_up
    reject_follow_up: ComplaintPayload = follow_up_mutations.reject_follow_up
    confirm_answer: ComplaintPayload = follow_up_mutations.confirm_answer
    dispute_answer: ComplaintPayload = follow_up_mutations.dispute_answer
    propose_closure: ComplaintPayload = course_mutations.propose_closure
    consent_to_closure: ComplaintPayload = course_mutations.consent_to_closure
    archive_complaint: ComplaintPayload = complaint_mutations.archive_complaint
    restore_complaint: ComplaintPayload = course_mutations.restore_complaint
    merge_complaint: ComplaintPayload = course_mutations.merge_complaint
    withdraw_complaint: ComplaintPayload = complaint_mutations.withdraw_complaint
    reopen_complaint: ComplaintPayload = course_mutations.reopen_complaint
    escalate_complaint: ComplaintPayload = course_mutations.escalate_complaint
    set_complaint_privacy: ComplaintPayload = course_mutations.set_complaint_privacy
    correct_reporter: ComplaintPayload = reporter_mutations.correct_reporter
    withdraw_consent: ComplaintPayload = reporter_mutations.withdraw_consent
    erase_reporter: ComplaintPayload = reporter_mutations.erase_reporter
    create_team: TeamPayload = team_mutations.create_team
    update_team: TeamPayload = team_mutations.update_team
    add_team_member: TeamPayload = team_mutations.add_team_member
    end_team_membership: TeamPayload = team_mutations.end_team_membership
    create_action_plan: ActionPlanPayload = action_plan.create_action_plan
    record_milestone_progress: ActionPlanPayload = action_plan.record_milestone_progress
    update_agency: AgencyPayload = agency_mutations.update_agency
    check_subgraph: CheckSubgraphPayload = subgraph.check_subgraph
    publish_subgraph: PublishSubgraphPayload = subgraph.publish_subgraph
    retire_subgraph: RetireSubgraphPayload = subgraph.retire_subgraph
