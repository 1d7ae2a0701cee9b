"""Look-alikes and search: stems, marks, ranks, and what is asked of them that they do not take."""

from collections.abc import Callable
from typing import Any

import pytest
from support.examples import RECEIVED, a_complaint
from support.portal import ADMIN, NATIONAL, OTHER_ADMIN

from resolvers.complaints import similar
from resolvers.complaints.complaint_list import list_complaints
from resolvers.domain import search_words
from resolvers.errors import InvalidArgument
from resolvers.paging.listing import Arguments
from resolvers.personal_data.stems import MAX_STEMS, list_stems
from resolvers.request.context import RequestContext
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC

ContextOf = Callable[..., RequestContext]


def test_forms_of_a_word_are_one_stem_and_empty_words_none() -> None:
    assert list_stems("Memperbaiki perbaikan, DIPERBAIKI!") == ("baik",)
    assert list_stems("yang di ke dan mohon segera") == ()
    assert list_stems("Hubungi [telepon] atau [nama]") == ("hubung",)
    assert list_stems("") == ()


def test_a_text_without_end_has_an_end() -> None:
    assert len(list_stems(" ".join(f"kata{number}" for number in range(5000)))) == MAX_STEMS


def test_marks_say_who_finds_by_a_word() -> None:
    words = search_words.mark_words(["jalan", "budi"], ["jalan"], published=False)
    assert words == ["?jalan", "!budi"]
    assert search_words.renew_marks(words, published=True) == ["jalan", "!budi"]
    assert search_words.renew_marks(["jalan", "!budi"], published=False) == words


@pytest.fixture
async def filled(register: Store) -> Store:
    near = {"body": "Lubang dalam di Jalan Melati depan sekolah, pengendara jatuh"}
    rows = [
        a_complaint(_id="LP-near", **near),
        a_complaint(_id="LP-far", region="34.04", province="34", **near),
        a_complaint(_id="LP-half", body="Lubang dalam di Jalan Kenanga dekat pasar"),
        a_complaint(_id="LP-other", title="Sampah menumpuk", body="Sampah menumpuk di TPS sejak seminggu"),
        a_complaint(_id="LP-hidden", confidential=True, **near),
        a_complaint(_id="LP-new", verifiedAt=None, status="SUBMITTED", **near),
        a_complaint(_id="LP-person", body="Lubang di jalan, kata Pak Hendra Gunawan", receivedAt=RECEIVED),
    ]
    await register.complaints.insert_many(rows)
    return register


async def alike(context: RequestContext, text: str, **further: Any) -> list[str]:
    found = await similar.find_similar(context, text, region=further.get("region"), first=further.get("first"))
    return [row["_id"] for row in found]


TEXT = "Ada lubang di jalan melati depan sekolah"


async def test_the_likest_come_first_and_nothing_that_is_not_public(filled: Store, context_of: ContextOf) -> None:
    for viewer in (PUBLIC, NATIONAL, ADMIN):
        found = await alike(context_of(viewer), TEXT)
        assert set(found[:2]) == {"LP-near", "LP-far"}
        assert set(found[2:]) == {"LP-half", "LP-person"}


async def test_a_region_bounds_them(filled: Store, context_of: ContextOf) -> None:
    assert (await alike(context_of(PUBLIC), TEXT, region="51.03"))[0] == "LP-near"
    assert await alike(context_of(PUBLIC), TEXT, region="34.04") == ["LP-far"]
    assert await alike(context_of(PUBLIC), TEXT, region="34") == ["LP-far"]
    assert await alike(context_of(PUBLIC), TEXT, region="31") == []


async def test_nothing_alike_is_nothing(filled: Store, context_of: ContextOf) -> None:
    assert await alike(context_of(PUBLIC), "yang di ke dan") == []
    assert await alike(context_of(PUBLIC), "paspor kereta kapal") == []
    assert await alike(context_of(PUBLIC), "$where {} \\ \x00 [nama]") == []


async def test_a_masked_name_makes_nothing_alike(filled: Store, context_of: ContextOf) -> None:
    assert await alike(context_of(PUBLIC), "Hendra Gunawan") == []


@pytest.mark.parametrize("asked", [{"first": 0}, {"first": 11}, {"region": "99"}, {"text": "x" * 10_001}])
async def test_what_is_out_of_bounds_is_refused(register: Store, context_of: ContextOf, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        await similar.find_similar(
            context_of(PUBLIC), asked.get("text", TEXT), region=asked.get("region"), first=asked.get("first", 5)
        )


async def found_by(context: RequestContext, words: str, **filter: Any) -> set[str]:
    page = await list_complaints(context, {"search": words, **filter}, None, Arguments(), keys=frozenset()).fetch_page()
    return {row["_id"] for row in page.rows}


async def test_a_search_finds_by_stems_within_what_is_read(filled: Store, context_of: ContextOf) -> None:
    shown = {"LP-near", "LP-far", "LP-half", "LP-person"}
    assert await found_by(context_of(PUBLIC), "berlubang") == shown
    assert await found_by(context_of(OTHER_ADMIN), "berlubang") == shown
    assert await found_by(context_of(ADMIN), "berlubang") == shown | {"LP-hidden", "LP-new"}
    assert await found_by(context_of(NATIONAL), "berlubang") == shown | {"LP-hidden", "LP-new"}
    assert await found_by(context_of(PUBLIC), "lubang melati") == {"LP-near", "LP-far"}
    assert await found_by(context_of(PUBLIC), "lubang", region=["34"]) == {"LP-far"}
    assert await found_by(context_of(PUBLIC), "hendra") == set()
    assert await found_by(context_of(ADMIN), "hendra gunawan") == {"LP-person"}


async def test_pages_of_a_search_cover_it_once(filled: Store, context_of: ContextOf) -> None:
    seen: list[str] = []
    after: str | None = None
    while True:
        asked = list_complaints(context_of(ADMIN), {"search": "lubang"}, None, Arguments(2, after), keys=frozenset())
        page = await asked.fetch_page()
        seen += [row["_id"] for row in page.rows]
        if not page.has_next:
            break
        after = asked.write_cursor(page.rows[-1])
    assert len(seen) == len(set(seen)) == 6
    assert await asked.total() == 6


@pytest.mark.parametrize(
    "words", ["yang di", "x" * 201, "jalan pasar sekolah jembatan sampah lampu parkir banjir selokan"]
)
async def test_a_search_without_words_or_with_too_many_is_refused(
    register: Store, context_of: ContextOf, words: str
) -> None:
    with pytest.raises(InvalidArgument):
        await found_by(context_of(PUBLIC), words)
