"""Publishing over the real store and the real composer: versions, races, going back, retiring."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from support.portal import ADMIN, NATIONAL, OTHER_ADMIN

import schema
from gateway.registry.composer import ComposerProcess
from gateway.registry.registrar import Registrar
from resolvers.errors import ChangedMeanwhile, IdempotencyConflict, InvalidInput, NotAllowed, NotFound, Refused
from resolvers.registry import subgraph as subgraphs
from resolvers.registry.subgraph import Publication
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store import register
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n'
URL = "http://127.0.0.1:4001/graphql"
As = Callable[[Viewer], RequestContext]


def survey(prefix: str, field: str = "Survey") -> str:
    return LINK + f'type Complaint @key(fields: "id") {{ id: ID! {prefix}{field}: Int }}'


@pytest.fixture
def composer() -> Iterator[ComposerProcess]:
    opened = ComposerProcess()
    yield opened
    opened.close()


@pytest.fixture
def acting(register: Store, context_of: Callable[..., RequestContext], composer: ComposerProcess) -> As:
    ids = [row["_id"] for row in register_agencies()]

    async def agency_ids() -> list[str]:
        return ids

    registrar = Registrar(composer, schema.print_subgraph_sdl(), agency_ids, b"secret", development=True)

    def make(viewer: Viewer) -> RequestContext:
        context = context_of(viewer)
        context.composer = registrar
        return context

    return make


register_agencies = register.agencies


def attempt(key: str | None = None, digest: str = "x") -> Attempt:
    return Attempt("publishSubgraph", digest, None, key)


async def publish(
    context: RequestContext,
    sdl: str | None,
    *,
    agency: str = "kab-badung",
    url: str | None = URL,
    version: int | None = None,
    expected: int | None = None,
    made: Attempt | None = None,
) -> int:
    done, _ = await subgraphs.publish_subgraph(
        context, made or attempt(), agency, Publication(url, sdl, version), expected_version=expected
    )
    number: int = done["version"]
    return number


async def test_what_is_published_is_live_and_its_versions_are_kept(acting: As) -> None:
    badung = acting(ADMIN)
    assert await publish(badung, survey("kabBadung")) == 1
    assert await publish(badung, survey("kabBadung", "Visits")) == 2
    live = await subgraphs.read_live(badung.store)
    assert live["members"] == {"kab-badung": 2}
    assert live["version"] == 2
    assert "kabBadungVisits" in live["apiSchema"]
    assert "kabBadungSurvey" not in live["apiSchema"]
    assert await publish(badung, None, url=None, version=1) == 3
    assert "kabBadungSurvey" in (await subgraphs.read_live(badung.store))["apiSchema"]
    assert [row["version"] for row in await subgraphs.list_versions(badung, "kab-badung")] == [3, 2, 1]
    assert await subgraphs.list_versions(acting(PUBLIC), "kab-badung") == []
    assert [row["_id"] for row in await subgraphs.list_published(badung)] == ["kab-badung@3"]


async def test_checking_says_what_would_break_and_changes_nothing(acting: As) -> None:
    badung = acting(ADMIN)
    await publish(badung, survey("kabBadung"))
    outcome = await subgraphs.check_subgraph(badung, "kab-badung", sdl=survey("kabBadung", "Visits"), url=None)
    assert [(row["kind"], row["code"]) for row in outcome.findings] == [("BREAKING", "FIELD_REMOVED")]
    outcome = await subgraphs.check_subgraph(badung, "kab-badung", sdl=survey("kotaSemarang"), url=None)
    assert not outcome.supergraph
    assert [row["code"] for row in outcome.findings] == ["field-prefix"]
    assert (await subgraphs.read_live(badung.store))["version"] == 1


@pytest.mark.parametrize(
    ("viewer", "change", "refusal"),
    [
        (OTHER_ADMIN, {}, NotAllowed),
        (NATIONAL, {}, NotAllowed),
        (PUBLIC, {}, NotAllowed),
        (ADMIN, {"agency": "kab-nowhere"}, InvalidInput),
        (ADMIN, {"sdl": survey("kotaSemarang")}, InvalidInput),
        (ADMIN, {"sdl": "type Query {"}, InvalidInput),
        (ADMIN, {"sdl": "#" * 500_001}, InvalidInput),
        (ADMIN, {"sdl": None}, InvalidInput),
        (ADMIN, {"url": "ftp://127.0.0.1/"}, InvalidInput),
        (ADMIN, {"url": None}, InvalidInput),
        (ADMIN, {"version": 3}, InvalidInput),
        (ADMIN, {"version": 3, "sdl": None, "url": None}, NotFound),
        (ADMIN, {"expected": 1}, ChangedMeanwhile),
    ],
)
async def test_what_may_not_be_published_is_refused(
    acting: As, viewer: Viewer, change: dict[str, object], refusal: type[Refused]
) -> None:
    context = acting(viewer)
    with pytest.raises(refusal):
        await publish(context, **({"sdl": survey("kabBadung")} | change))  # type: ignore[arg-type]
    assert (await subgraphs.read_live(context.store))["version"] == 0


async def test_a_repeated_call_publishes_once(acting: As) -> None:
    badung = acting(ADMIN)
    assert await publish(badung, survey("kabBadung"), made=attempt("k")) == 1
    assert await publish(badung, survey("kabBadung"), made=attempt("k")) == 1
    with pytest.raises(IdempotencyConflict):
        await publish(badung, survey("kabBadung", "Visits"), made=attempt("k", "y"))
    assert (await subgraphs.read_live(badung.store))["version"] == 1


async def test_publishers_at_once_all_stand_in_the_graph(acting: As) -> None:
    sleman = partial(publish, acting(OTHER_ADMIN), survey("kabSleman"), agency="kab-sleman")
    await asyncio.gather(publish(acting(ADMIN), survey("kabBadung")), sleman())
    live = await subgraphs.read_live(acting(ADMIN).store)
    assert live["members"] == {"kab-badung": 1, "kab-sleman": 1}
    assert live["version"] == 2
    assert "kabBadungSurvey" in live["apiSchema"]
    assert "kabSlemanSurvey" in live["apiSchema"]


async def test_of_publishers_at_once_who_expect_the_same_version_one_wins(acting: As) -> None:
    await publish(acting(ADMIN), survey("kabBadung"))
    calls = [publish(acting(ADMIN), survey("kabBadung", f"V{number}"), expected=1) for number in range(4)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, int) for result in done) == 1
    assert sum(isinstance(result, ChangedMeanwhile) for result in done) == 3
    assert (await subgraphs.read_live(acting(ADMIN).store))["version"] == 2


async def test_a_retired_subgraph_leaves_the_graph_and_can_come_back(acting: As) -> None:
    badung = acting(ADMIN)
    await publish(badung, survey("kabBadung"))
    with pytest.raises(NotAllowed):
        await subgraphs.retire_subgraph(acting(OTHER_ADMIN), attempt(), "kab-badung", expected_version=None)
    await subgraphs.retire_subgraph(acting(NATIONAL), attempt(), "kab-badung", expected_version=1)
    assert (await subgraphs.read_live(badung.store))["members"] == {}
    with pytest.raises(NotFound):
        await subgraphs.retire_subgraph(badung, attempt(), "kab-badung", expected_version=None)
    assert await publish(badung, None, url=None, version=1) == 2


async def test_outside_development_the_host_shows_that_it_is_the_agencys(acting: As) -> None:
    registrar = Registrar(ComposerProcess(), "", acting, b"secret")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"https://localhost/\.well-known/satugraf-kab-badung\.txt does not serve"):
        await registrar.prove("kab-badung", "https://localhost/graphql")
    with pytest.raises(InvalidInput, match="must begin with https"):
        await registrar.prove("kab-badung", URL)
