"""Complaints with personal data whose place is known: a seeded generator, to measure the scan by."""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from resolvers.domain.vocabulary import PersonalDataKind as Kind

NAMES = """
Wayan Sudana
Ni Putu Astiti
I Gede Arnawa
Ida Bagus Oka
Maruli Sitanggang
Tiurma Sihombing
Yosep Mambrasar
Siti Khotimah
Asep Suhendar
Tri Wahyuningsih
Laode Hamka
Andi Tenri Ola
Baiq Nuraini
Lalu Wirajaya
Cut Meutia
Teuku Rizal
Yance Wenda
Budi Hartanto
Slamet Riyadi
Dewi Lestari
Agus Salim
Rina Marlina
Ahmad Fauzan
Mochamad Ridwan
Sri Mulyati
Joko Pranoto
Hendra Gunawan
Nurul Hidayati
Eko Prasetyo
Yohanes Bere
Maria Goreti
Ratna Sari Dewi
Bambang Sutejo
Endang Purwati
Rizky Maulana
Fitri Handayani
Dedi Kurniadi
Ujang Koswara
Lilis Suryani
Abdul Rahman
Zainuddin Nasution
Ferdinand Lumbantoruan
Kadek Suarta
Komang Ayu Trisna
Suparman
""".strip().splitlines()
CALLED = (
    "Petugas loket bernama {} membentak warga",
    "Pak {} dari kelurahan meminta uang pelicin",
    "Ibu {} ditolak berobat tanpa alasan",
    "Saya {}, warga RT 4, sudah tiga kali datang",
    "nama saya {} dan saya tidak terima",
    "Sopir angkot {} mengemudi ugal-ugalan",
    "Oknum {} menahan berkas kami",
    "Kepala sekolah, Bapak {}, memungut iuran",
    "Bidan {} tidak ada di tempat saat dibutuhkan",
    "Tetangga saya {} membuang sampah ke sungai",
    "Bantuan diterima {} yang sudah mampu",
    "{} menerima uang itu di depan kantor",
    "Laporan ini sudah disampaikan kepada {} minggu lalu",
)
WRITTEN: tuple[Callable[[str], str], ...] = (str, str, str, str.upper, str.lower)
NUMBERS: dict[Kind, tuple[str, ...]] = {
    Kind.PHONE: ("hubungi {}", "WA saya {}", "nomor {} tidak diangkat", "telp. {}", "HP: {}"),
    Kind.NIK: ("NIK saya {}", "dengan NIK {}", "KTP nomor {}", "tercatat {} di sistem"),
    Kind.EMAIL: ("kirim ke {}", "surel {}", "balas saja lewat {}"),
    Kind.PLATE: ("mobil pelat {}", "motor {} parkir sembarangan", "plat nomor {}", "kendaraan {} menerobos"),
    Kind.ACCOUNT: ("ditransfer ke rekening BRI {}", "no rek {} atas nama petugas"),
    Kind.ADDRESS: ("rumah di {} kebanjiran", "{} tergenang setiap hujan"),
    Kind.DOCUMENT: ("nomor KK {}", "kartu BPJS {} nonaktif"),
}
CLEAN = (
    "Jalan Sudirman berlubang sejak 12-11-2026 dan sering tergenang",
    "Antrean di RSUD Dr. Soetomo sampai 3 jam",
    "Lampu di Jalan Gajah Mada dekat Pasar Badung padam",
    "Kami diminta Rp1.500.000 tanpa kuitansi",
    "Surat nomor 045/ADU/2026 belum dijawab Dinas PUPR",
    "Warga Desa Sukamaju Kecamatan Wonosari belum mendapat bantuan",
    "Kepala Dinas Kesehatan Kabupaten Badung tidak menjawab",
    "Bandara Ngurah Rai ramai, penjemput parkir di bahu jalan",
    "Guru honorer di SMP Negeri 3 belum dibayar tiga bulan",
    "Perbaikan jembatan Kali Progo molor dari jadwal April 2026",
    "Pasien BPJS diminta menunggu sampai pukul 14.30",
    "Stadion Kapten I Wayan Dipta becek dan gelap",
    "Loket 2 Samsat Denpasar tutup pada hari Senin 2 November 2026",
    "Taman Lumintang kotor, sampah menumpuk dua minggu",
    "Truk tambang melintas di Jalan I Gusti Ngurah Rai setiap malam",
    "Bupati dan camat sudah berjanji memperbaiki saluran di Banjar Tegal",
)


class Labelled(NamedTuple):
    """A text, and where personal data stand in it, by kind."""

    text: str
    spans: tuple[tuple[int, int, Kind], ...]


def texts(count: int, seed: int = 11) -> Iterator[Labelled]:
    """A third without personal data, the rest with one to three of them among sentences without."""
    chance = random.Random(seed)
    for _ in range(count):
        sentences = [(sentence, "", Kind.NAME) for sentence in chance.sample(CLEAN, chance.randint(1, 3))]
        if chance.random() > 1 / 3:
            sentences += [_personal(chance) for _ in range(chance.randint(1, 3))]
        chance.shuffle(sentences)
        yield _written(sentences)


def _written(sentences: list[tuple[str, str, Kind]]) -> Labelled:
    text, spans = "", []
    for sentence, value, kind in sentences:
        if value:
            start = len(text) + sentence.index("{}")
            spans.append((start, start + len(value), kind))
        text += sentence.replace("{}", value) + ". "
    return Labelled(text.strip(), tuple(spans))


def _personal(chance: random.Random) -> tuple[str, str, Kind]:
    if chance.random() < 0.5:
        return chance.choice(CALLED), chance.choice(WRITTEN)(chance.choice(NAMES)), Kind.NAME
    kind = chance.choice(list(NUMBERS))
    return chance.choice(NUMBERS[kind]), _value(chance, kind), kind


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _value(chance: random.Random, kind: Kind) -> str:
    match kind:
        case Kind.PHONE:
            head, tail = f"08{chance.choice(('12', '57', '78', '96'))}", _digits(chance, 8)
            forms = (head + tail, f"{head}-{tail[:4]}-{tail[4:]}", f"+62 {head[1:]} {tail[:4]} {tail[4:]}")
            return chance.choice(forms)
        case Kind.NIK:
            day = chance.randint(1, 28) + chance.choice((0, 40))
            area = chance.choice(("5103", "3374", "1271", "7371", "3578"))
            born = f"{day:02d}{chance.randint(1, 12):02d}{chance.randint(50, 99)}"
            return f"{area}0{chance.randint(1, 6)}{born}000{chance.randint(1, 9)}"
        case Kind.EMAIL:
            user = chance.choice(NAMES).lower().replace(" ", chance.choice((".", "_", "")))
            return f"{user}{chance.randint(1, 99)}@{chance.choice(('gmail.com', 'yahoo.co.id', 'mail.badung.id'))}"
        case Kind.PLATE:
            separator = chance.choice((" ", " ", ""))
            area = chance.choice(("DK", "B", "AB", "L", "DD"))
            return f"{area}{separator}{chance.randint(10, 9999)}{separator}{chance.choice(('AB', 'XY', 'QZ', 'KFA'))}"
        case Kind.ADDRESS:
            street = chance.choice(("Jalan Melati", "Jl. Pangeran Diponegoro", "Gang Mawar"))
            return f"{street} {chance.choice(('No. ', 'nomor '))}{chance.randint(1, 99)}"
        case Kind.ACCOUNT:
            return _digits(chance, 15)
        case _:
            return "51030" + _digits(chance, 11) if chance.random() < 0.5 else "000" + _digits(chance, 10)
