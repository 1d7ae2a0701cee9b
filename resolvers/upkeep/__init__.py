"""Steps that the system takes by itself: time-outs and escalation, custody of agencies without a team, due times.

Documents carry `wakeAt`, the time of their next step. The worker (`gateway.worker`) reads those that are due.
"""
