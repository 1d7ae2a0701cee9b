"""The domain's enums, registered with Strawberry under the descriptions that the contract shows."""

from enum import StrEnum

import strawberry

from resolvers.domain.vocabulary import (
    AgeBand,
    AgencyKind,
    ArchiveReason,
    BreakerState,
    Channel,
    ClockKind,
    ClosureCode,
    ComplaintAction,
    ComplaintClass,
    ComplaintOrder,
    ComplaintStatus,
    FollowUpKind,
    KpiId,
    Locale,
    MilestoneStatus,
    PersonalDataKind,
    RegionLevel,
    ReturnReason,
    Role,
    Sex,
    SubgraphFindingKind,
    SupervisionGrade,
    TeamKind,
    TeamRole,
    TeamStatus,
    TimeZone,
    UserErrorCode,
    Visibility,
)

__all__ = [
    "AgeBand",
    "AgencyKind",
    "ArchiveReason",
    "BreakerState",
    "Channel",
    "ClockKind",
    "ClosureCode",
    "ComplaintAction",
    "ComplaintClass",
    "ComplaintOrder",
    "ComplaintStatus",
    "FollowUpKind",
    "KpiId",
    "Locale",
    "MilestoneStatus",
    "PersonalDataKind",
    "RegionLevel",
    "ReturnReason",
    "Role",
    "Sex",
    "SubgraphFindingKind",
    "SupervisionGrade",
    "TeamKind",
    "TeamRole",
    "TeamStatus",
    "TimeZone",
    "UserErrorCode",
    "Visibility",
]

_DESCRIPTIONS: dict[type[StrEnum], str | None] = {
    AgencyKind: None,
    TimeZone: "WIB is UTC+7, WITA UTC+8, WIT UTC+9; no daylight saving.",
    RegionLevel: None,
    Locale: None,
    ComplaintClass: "[klasifikasi] COMPLAINT [pengaduan], ASPIRATION [aspirasi], INFORMATION_REQUEST [permintaan].",
    ComplaintStatus: (
        "SUBMITTED [belum terverifikasi], NEEDS_INFO [menunggu kelengkapan], ROUTED [terdisposisi], RETURNED [bukan "
        "wewenang], IN_PROGRESS [dalam proses], ON_HOLD [ditunda], ANSWERED [menunggu tanggapan pelapor], REOPENED "
        "[dibuka kembali], CLOSED_RESOLVED [selesai], CLOSED_NO_REPLY [selesai otomatis], CLOSED_UNABLE [tidak dapat "
        "ditindaklanjuti], ARCHIVED [diarsipkan], MERGED [digabung], WITHDRAWN [dicabut]."
    ),
    SupervisionGrade: (
        "[kadar pengawasan] LIGHT [ringan], NORMATIVE [normatif], NON_SUPERVISORY [tidak berkadar pengawasan], "
        "SUPERVISORY [berkadar pengawasan]: to be resolved within 2, 5, 14 and 60 working days."
    ),
    Channel: None,
    ReturnReason: None,
    ArchiveReason: None,
    ClosureCode: None,
    ClockKind: None,
    FollowUpKind: "REPLY: written by the reporter (information supplied, dispute). NOTE: internal.",
    Visibility: None,
    ComplaintAction: None,
    TeamKind: "COORDINATION [tim koordinasi], MANAGEMENT [tim pengelola].",
    TeamStatus: None,
    MilestoneStatus: None,
    KpiId: None,
    TeamRole: (
        "STEERING [pengarah], RESPONSIBLE [penanggung jawab], COORDINATOR [koordinator], ADMIN [admin instansi], "
        "DEPUTY_ADMIN, LIAISON [pejabat penghubung], SECRETARIAT."
    ),
    Role: None,
    Sex: None,
    AgeBand: None,
    PersonalDataKind: (
        "ACCOUNT [rekening] and DOCUMENT [KK, SIM, paspor, NPWP, BPJS] are numbers that identify a person, as NIK is."
    ),
    ComplaintOrder: "DUE_ASC: by the due time of the next running clock; complaints without one come last.",
    UserErrorCode: None,
    BreakerState: (
        "[circuit breaker] CLOSED: requests are sent. OPEN: no requests are sent for a while. HALF_OPEN: one request "
        "is sent as a test, and the breaker closes if it succeeds."
    ),
    SubgraphFindingKind: (
        "RULE: the agency may not define a type or field. COMPOSITION: the subgraphs do not fit together. BREAKING: "
        "operations of existing clients would fail. HINT: advice."
    ),
}

for _enum, _description in _DESCRIPTIONS.items():
    strawberry.enum(_enum, description=_description)
