"""Finds personal data in text with the detectors of lokal-id and further patterns for complaints.

docs/privacy.md has its accuracy on a labelled synthetic set.
"""

import re
from collections.abc import Iterator
from typing import Final

from lokal.samaran import PiiType, detect_pii

from resolvers.domain.redaction import Span, join_spans
from resolvers.domain.vocabulary import PersonalDataKind

_KINDS: Final[dict[PiiType, PersonalDataKind]] = {
    "NIK": PersonalDataKind.NIK,
    "KK": PersonalDataKind.DOCUMENT,
    "NPWP": PersonalDataKind.DOCUMENT,
    "PASSPORT": PersonalDataKind.DOCUMENT,
    "SIM": PersonalDataKind.DOCUMENT,
    "NIP": PersonalDataKind.DOCUMENT,
    "BPJS": PersonalDataKind.DOCUMENT,
    "NISN": PersonalDataKind.DOCUMENT,
    "AKTA": PersonalDataKind.DOCUMENT,
    "PHONE": PersonalDataKind.PHONE,
    "EMAIL": PersonalDataKind.EMAIL,
    "BANK_ACCOUNT": PersonalDataKind.ACCOUNT,
    "CARD": PersonalDataKind.ACCOUNT,
    "PLATE": PersonalDataKind.PLATE,
    "NAME": PersonalDataKind.NAME,
    "ADDRESS": PersonalDataKind.ADDRESS,
    "BIRTH_DATE": PersonalDataKind.BIRTH_DATE,
}

# The time of the library grows with the square of the length of a hostile text (10 000 characters: 1.5 s). So the text
# is scanned in windows, which overlap so that personal data at an edge are found.
_WINDOW: Final = 800
_OVERLAP: Final = 120

_EMAIL: Final = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_LONG_NUMBER: Final = re.compile(r"(?<![\w.,])\d(?:[ .-]?\d){9,18}(?![\w])")
_DATED: Final = re.compile(r"\d{1,2}[ .-]\d{1,2}[ .-]\d{4}")

_PLACES: Final = re.compile(
    r"(?:\b(?:jalan|jln|jl|gang|gg|rsud|rsu|rs|rumah sakit|bandara|bandar udara|pelabuhan|terminal|stasiun|stadion|gor|"
    r"universitas|institut|gedung|pasar|taman|lapangan|masjid|musala|gereja|pura|sd|sdn|smp|smpn|sma|sman|smk|smkn|"
    r"sekolah|desa|kelurahan|kecamatan|kabupaten|kota|dusun|banjar|perumahan|komplek|kompleks|jembatan|waduk|"
    r"bendungan|museum|monumen|tol|puskesmas|klinik)\b\.?\s*)(?:(?:dr|prof|ir|h|kh|k\.h|letjen|jenderal)\b\.?\s*)*$",
    re.IGNORECASE,
)
"""Words before a person's name that make it the name of a place: "Jalan Sudirman", "RSUD dr. Soetomo"."""

_WORDS: Final = r"((?:[A-Z][A-Za-z'’]+)(?:[ \t]+[A-Z][A-Za-z'’]+){%d,3})"
_TITLED: Final = re.compile(
    r"\b(?i:guru|dokter|bidan|perawat|suster|mantri|satpam|sopir(?: angkot| truk| bus)?|supir|kondektur|oknum|aipda|"
    r"aiptu|bripda|bripka|briptu|brigadir|ipda|iptu|kompol|akp|sertu|serka|serda|praka|pratu|peltu|(?:tetangga|anak|suami|"
    r"istri|ayah|ibu|kakak|adik|nama) saya|bernama|dipanggil|atas nama|a\.n\.|an\.)[ \t]+" + _WORDS % 0
)
_NAMED: Final = re.compile(r"\b(?i:saya|kepada|oleh|diterima|dengan|saudara|bertemu)[ \t]+" + _WORDS % 1)
_SAID: Final = re.compile(r"\b(?i:bernama|nama saya)[ \t]+([a-z]{3,}[ \t]+[a-z]{3,})\b")
_NO_NAME: Final = re.compile(
    r"(?:agama|anak|aparat|asn|badan|bahasa|bank|bapak|bk|bpjs|bupati|camat|cv|desa|dinas|direktorat|direktur|dprd|fisika|"
    r"gigi|gubernur|honor|honorer|hormat|ibu|inspektorat|jaga|jalan|kami|kandungan|kantor|kartu|kelas|kelurahan|"
    r"kementerian|kepala|ketua|keuangan|kimia|komisi|koperasi|ktp|lapangan|lintas|lurah|matematika|menteri|nama|nik|nomor|"
    r"olahraga|ombudsman|pajak|pasar|pegawai|pemda|pemerintah|pemkab|pemkot|pemprov|perangkat|perusahaan|petugas|pihak|pns|"
    r"pol|polisi|polres|polri|polsek|pp|presiden|pt|puskesmas|ri|rsud|rt|rw|satpol|satuan|saya|sd|sdn|sekolah|sma|sman|smk|"
    r"smp|smpn|spesialis|surat|tanda|tim|tni|umum|unit|wali|walikota|warga|yayasan)\b",
    re.IGNORECASE,
)
"""Words that follow "guru", "kepada" or "atas nama" and begin an office or a subject, not a person's name."""


def scan_text(text: str) -> list[Span]:
    """Return the spans of personal data in a text, in order and without overlaps."""
    return join_spans(span for window in _list_windows(text) for span in _scan_window(text, window))


def _list_windows(text: str) -> Iterator[int]:
    yield from range(0, max(len(text) - _OVERLAP, 1), _WINDOW - _OVERLAP)


def _scan_window(text: str, offset: int) -> Iterator[Span]:
    window = text[offset : offset + _WINDOW]
    for start, end, kind in (*_find_known_kinds(window), *_find_uncapitalised_names(window), *_find_further(window)):
        if kind is not PersonalDataKind.NAME or _is_name(window, start, end):
            yield Span(offset + start, offset + end, kind)


def _is_name(window: str, start: int, end: int) -> bool:
    return not _NO_NAME.match(window, start, end) and not _PLACES.search(window[max(0, start - 40) : start])


def _find_known_kinds(window: str) -> Iterator[Span]:
    for match in detect_pii(window, types=list(_KINDS)):
        if match.value.strip():
            yield Span(match.start, match.end, _KINDS[match.type])


def _find_uncapitalised_names(window: str) -> Iterator[Span]:
    """Find names in small letters only, or in capitals only: the library finds names by their initial capitals."""
    titled = window.title()
    for match in detect_pii(titled, types=["NAME"]) if len(titled) == len(window) else ():
        written = window[match.start : match.end]
        if " " in written and (written.islower() or written.isupper()):
            yield Span(match.start, match.end, PersonalDataKind.NAME)


def _find_further(window: str) -> Iterator[Span]:
    for found in _EMAIL.finditer(window):
        yield Span(*found.span(), PersonalDataKind.EMAIL)
    for found in _LONG_NUMBER.finditer(window):
        if not _DATED.match(found.group()):
            yield Span(*found.span(), PersonalDataKind.DOCUMENT)
    for pattern in (_TITLED, _NAMED, _SAID):
        for found in pattern.finditer(window):
            yield Span(*found.span(1), PersonalDataKind.NAME)
