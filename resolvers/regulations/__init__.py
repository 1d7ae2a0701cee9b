"""The regulations in force: versions of the service policy, and the calendar of holidays."""
