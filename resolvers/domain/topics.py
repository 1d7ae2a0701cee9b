"""Suggests categories for a text, with scores, from the words that it contains.

The words are Indonesian and lower case; a word that ends in `*` matches every word that begins so. The table is written
by hand for the subjects of the synthetic complaints, so its accuracy on them says little about real complaints.
"""

import math
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

Words = Mapping[str, float]

_TOPICS: Final[Mapping[str, Words]] = {
    "ROAD.POTHOLE": {"berlubang": 0.7, "lubang": 0.5, "aspal*": 0.5, "jalan rusak": 0.7},
    "ROAD.STREETLIGHT": {"lampu jalan": 0.9, "penerangan jalan": 0.9, "pju": 0.8, "padam": 0.3},
    "ROAD.BRIDGE": {"jembatan": 0.85, "lapuk": 0.3},
    "ROAD.TRAFFIC": {"macet": 0.7, "kemacetan": 0.8, "parkir liar": 0.8},
    "ROAD.NATIONAL": {"jalan nasional": 0.9, "ruas jalan": 0.3},
    "WASTE.COLLECTION": {"sampah": 0.6, "tps": 0.5, "diangkut": 0.5},
    "WASTE.ILLEGAL": {"pembuangan sampah liar": 0.9, "sampah liar": 0.8, "membuang sampah": 0.5},
    "WATER.SUPPLY": {"pdam": 0.9, "air bersih": 0.7, "air mati": 0.6},
    "WATER.FLOOD": {"banjir": 0.7, "kebanjiran": 0.7, "drainase": 0.7, "saluran tersumbat": 0.7},
    "CIVIL.KTP": {"ktp": 0.85, "ktp elektronik": 0.6, "blangko": 0.5},
    "CIVIL.KK": {"kartu keluarga": 0.9, "kk": 0.4, "disdukcapil": 0.3},
    "CIVIL.BIRTH": {"akta kelahiran": 0.95, "akta": 0.3},
    "CIVIL.NIK": {"nik": 0.7, "nik tidak*": 0.6, "konsolidasi": 0.4},
    "HEALTH.PUSKESMAS": {"puskesmas": 0.85, "poli": 0.3},
    "HEALTH.HOSPITAL": {"rsud": 0.85, "rumah sakit": 0.8},
    "HEALTH.BPJS": {"bpjs": 0.85, "kepesertaan": 0.6, "iuran": 0.3},
    "EDU.ADMISSION": {"ppdb": 0.9, "zonasi": 0.8},
    "EDU.FEES": {"pungutan": 0.4, "sumbangan": 0.4, "per siswa": 0.6},
    "EDU.BUILDING": {"ruang kelas": 0.85},
    "SOCIAL.AID": {"bantuan sosial": 0.85, "bansos": 0.85, "blt": 0.7},
    "SOCIAL.PKH": {"pkh": 0.95, "program keluarga harapan": 0.95},
    "SOCIAL.DISABILITY": {"alat bantu": 0.7, "disabilitas": 0.8, "difabel": 0.8},
    "LICENSE.BUILDING": {"pbg": 0.85, "imb": 0.85, "izin bangunan": 0.85},
    "LICENSE.BUSINESS": {"izin usaha": 0.85, "nib": 0.7, "usaha rumahan": 0.6},
    "ENV.POLLUTION": {"limbah": 0.85, "pencemaran": 0.85},
    "ENV.NOISE": {"kebisingan": 0.85, "bising": 0.7, "musik keras": 0.7},
    "ORDER.STALLS": {"trotoar": 0.6, "pedagang": 0.5, "lapak": 0.5, "pkl": 0.7},
    "VILLAGE.FUND": {"dana desa": 0.9, "talud": 0.4},
    "TOURISM.SERVICE": {"tempat wisata": 0.8, "wisata": 0.6},
    "TRANSPORT.BUS": {"rute bus": 0.9, "bus kota": 0.7},
    "TRANSPORT.PORT": {"kapal": 0.7, "pelabuhan": 0.7, "penyeberangan": 0.7},
    "TAX.PBB": {"pbb": 0.85, "sppt": 0.8},
    "MARKET.PRICE": {"bahan pokok": 0.85, "harga harian": 0.5},
    "IMMIG.PASSPORT": {"paspor": 0.9, "imigrasi": 0.8},
    "LEGAL.AHU": {"badan hukum": 0.9, "pnbp": 0.4, "ahu": 0.7},
    "HIGHERED.KIP": {"kip kuliah": 0.95, "beasiswa": 0.5, "kampus": 0.4},
    "HIGHERED.DIPLOMA": {"ijazah": 0.8, "pangkalan data": 0.5},
    "LAND.CERT": {"sertifikat tanah": 0.9, "kantor pertanahan": 0.9, "bpn": 0.8},
    "POLICE.REPORT": {"laporan polisi": 0.9, "polsek": 0.8, "polres": 0.8},
    "POLICE.SIM": {"sim": 0.6, "percaloan sim": 0.8},
    "LABOR.WAGE": {"upah minimum": 0.9, "upah": 0.5, "thr": 0.6},
    "ASN.SELECTION": {"seleksi administrasi": 0.8, "cpns": 0.85, "seleksi": 0.4, "sanggah": 0.6},
    "POWER.SUBSIDY": {"subsidi listrik": 0.95, "listrik": 0.4},
    "FIN.LOAN": {"pinjaman daring": 0.9, "pinjol": 0.9, "penagih*": 0.5},
    "MIGRANT.WORKER": {"pekerja migran": 0.95, "tki": 0.8},
    "TELCO.SIGNAL": {"sinyal": 0.8, "menara": 0.4},
    "SAFETY.VIOLENCE": {"kekerasan": 0.8, "dipukul": 0.7, "penganiayaan": 0.8},
    "SAFETY.CHILD": {"kekerasan anak": 0.9, "kekerasan terhadap anak": 0.9, "pelecehan": 0.8},
}


class Suggestion(NamedTuple):
    category: str
    score: float


def normalize_text(text: str) -> str:
    """Return the lower-case words of a text with one space between them and one at each end, for `in` tests."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


def suggest_categories(words: str) -> list[Suggestion]:
    """Return the categories that fit a text after `normalize_text`, best first.

    The score of a category falls with the weight of its strongest rival, by up to half.
    """
    found = {category: _weigh_terms(words, terms) for category, terms in _TOPICS.items()}
    found = {category: weight for category, weight in found.items() if weight > 0}
    return sorted(
        (
            Suggestion(category, round(weight * (1 - 0.5 * _find_rival_weight(found, category)), 4))
            for category, weight in found.items()
        ),
        # Ties go by code, so that the same text always gives the same order.
        key=lambda suggestion: (-suggestion.score, suggestion.category),
    )


def _weigh_terms(words: str, terms: Words) -> float:
    """Combine the weights of the words found: 1 minus the product of the remaining doubts."""
    return 1 - math.prod(1 - weight for term, weight in terms.items() if _occurs(term, words))


def _occurs(term: str, words: str) -> bool:
    return f" {term[:-1]}" in words if term.endswith("*") else f" {term} " in words


def _find_rival_weight(found: Mapping[str, float], category: str) -> float:
    return max((weight for other, weight in found.items() if other != category), default=0.0)


def list_categories() -> frozenset[str]:
    """Return the categories that the table has words for."""
    return frozenset(_TOPICS)
