"""The subgraph registry: the versions that agencies have published, and the live supergraph.

A version of a subgraph is written once and never changes. One document, `live`, names the live version of each subgraph
and holds their supergraph. Publishing replaces that document with one compare-and-set, so readers see all of a change
or none of it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from resolvers import policy
from resolvers.agencies import reference
from resolvers.documents import Changes
from resolvers.domain.vocabulary import SubgraphFindingKind
from resolvers.errors import ChangedMeanwhile, InvalidInput, NotAllowed, NotFound
from resolvers.registry import usage
from resolvers.request.composer import CompositionOutcome, Member, PublishedGraph, SubgraphComposer
from resolvers.request.context import RequestContext
from resolvers.request.update import MAX_TRIES, Attempt, build_conflict
from resolvers.results import SubgraphFindingResult
from resolvers.store.database import MAX_TIME_MS, DuplicateKeyError, Store
from resolvers.system_documents import PublicationDoc, SubgraphVersionDoc, SupergraphDoc

LIVE: Final = "live"
MAX_SDL_CHARACTERS: Final = 500_000
SHOWN_VERSIONS: Final = 50
KEPT_KEYS: Final = 200
USED_WITHIN: Final = timedelta(days=7)

NOTHING_LIVE: Final[SupergraphDoc] = {
    "_id": LIVE,
    "version": 0,
    "sdl": "",
    "apiSchema": "",
    "composedAt": None,
    "members": {},
    "processed": [],
}


async def read_live(store: Store) -> SupergraphDoc:
    """Read the live supergraph: version, SDL, API schema, and `members`, the version of each agency's subgraph."""
    found = await store.supergraphs.find_one({"_id": LIVE}, max_time_ms=MAX_TIME_MS)
    return found or NOTHING_LIVE


async def list_published(context: RequestContext) -> list[SubgraphVersionDoc]:
    """Return the live versions of all subgraphs, by agency."""
    ids = [_make_version_id(agency, version) for agency, version in (await read_live(context.store))["members"].items()]
    found = context.store.subgraph_versions.find({"_id": {"$in": ids}}, max_time_ms=MAX_TIME_MS)
    return sorted(await found.to_list(None), key=lambda row: str(row["agency"]))


async def list_versions(context: RequestContext, agency_id: str) -> list[SubgraphVersionDoc]:
    """Return the latest 50 versions of an agency's subgraph, newest first; empty when the viewer may not read them."""
    if not policy.may_read_subgraph(context.viewer, agency_id):
        return []
    found = context.store.subgraph_versions.find({"agency": agency_id}, max_time_ms=MAX_TIME_MS)
    return await found.sort("version", -1).limit(SHOWN_VERSIONS).to_list(None)


async def check_subgraph(context: RequestContext, agency_id: str, *, sdl: str, url: str | None) -> CompositionOutcome:
    """Compose the graph with the new SDL and return the outcome, without publishing it.

    The outcome has the findings, those on the most used fields first, and the plans of the most used operations.
    """
    await _check_publisher(context, agency_id)
    now_live = await read_live(context.store)
    members = await read_members(context.store, now_live)
    standing = next((row.url for row in members if row.agency == agency_id), f"https://{agency_id}.invalid/")
    candidate = Member(agency_id, url or standing, _check_sdl(sdl))
    since = (context.now - USED_WITHIN).date()
    hottest = await usage.find_hottest_operations(context.store, since)
    outcome = await _require_composer(context).compose(members, candidate, _describe_live(now_live, hottest))
    uses = await usage.count_fields(context.store, since)
    findings: list[SubgraphFindingResult] = [
        {**row, "uses": uses.get(row["coordinate"] or "", 0)} if row["kind"] == SubgraphFindingKind.BREAKING else row
        for row in outcome.findings
    ]
    findings.sort(key=lambda row: -(row["uses"] or 0))
    return outcome._replace(findings=findings)


class Publication(NamedTuple):
    """The input of a publication: an SDL and a URL, or an earlier version."""

    url: str | None
    sdl: str | None
    version: int | None


async def publish_subgraph(
    context: RequestContext,
    attempt: Attempt,
    agency_id: str,
    publication: Publication,
    *,
    expected_version: int | None,
) -> tuple[SubgraphVersionDoc, CompositionOutcome | None]:
    """Publish a version; return it and the outcome of composition, which is None for a repeated call.

    When another publisher was faster, composes again on the new graph. Raises InvalidInput when the subgraphs do not
    compose, ChangedMeanwhile when another version than the expected one is live.
    """
    await _check_publisher(context, agency_id)
    token = attempt.derive_token(context)
    composer = _require_composer(context)
    candidate = await _find_candidate(context, agency_id, publication)
    await composer.prove(agency_id, candidate.url)
    version: SubgraphVersionDoc | None = None
    for _ in range(MAX_TRIES):
        now_live = await read_live(context.store)
        if token is not None and (done := _find_done(now_live, token, attempt)) is not None:
            return await _read_version(context.store, done), None
        _check_expected(now_live, agency_id, expected_version)
        members = await read_members(context.store, now_live)
        outcome = await composer.compose(members, candidate, _describe_live(now_live))
        if not outcome.supergraph:
            raise InvalidInput(_summarize_findings(outcome), field=("input", "sdl"))
        # Stored once: when the exchange below fails, the next round composes again but publishes the same version.
        version = version or await _store_version(context, candidate)
        if version is None:
            continue
        changed = now_live["members"] | {agency_id: version["version"]}
        if await _exchange_live(
            context, now_live, changed, outcome, _add_processed(now_live, token, attempt, version["_id"])
        ):
            return version, outcome
    raise ChangedMeanwhile("Many publishers are changing the graph at the same time: try again.")


async def retire_subgraph(
    context: RequestContext, attempt: Attempt, agency_id: str, *, expected_version: int | None
) -> SubgraphVersionDoc:
    """Remove the agency's subgraph from the graph and return its version. Any version can be published again."""
    if not policy.may_retire_subgraph(context.viewer, agency_id):
        raise NotAllowed(f"You may not retire the subgraph of {agency_id}.")
    token = attempt.derive_token(context)
    composer = _require_composer(context)
    for _ in range(MAX_TRIES):
        now_live = await read_live(context.store)
        if token is not None and (done := _find_done(now_live, token, attempt)) is not None:
            return await _read_version(context.store, done)
        version = now_live["members"].get(agency_id)
        if version is None:
            raise NotFound(f"{agency_id} has no subgraph in the graph: see the query subgraphs.")
        _check_expected(now_live, agency_id, expected_version)
        members = [row for row in await read_members(context.store, now_live) if row.agency != agency_id]
        outcome = await composer.compose(members, None, _describe_live(now_live))
        if not outcome.supergraph:
            raise InvalidInput(_summarize_findings(outcome))
        retired = _make_version_id(agency_id, version)
        changed = {agency: number for agency, number in now_live["members"].items() if agency != agency_id}
        if await _exchange_live(context, now_live, changed, outcome, _add_processed(now_live, token, attempt, retired)):
            return await _read_version(context.store, retired)
    raise ChangedMeanwhile("Many publishers are changing the graph at the same time: try again.")


def _describe_live(now_live: SupergraphDoc, uses: Mapping[str, int] | None = None) -> PublishedGraph:
    return PublishedGraph(now_live["apiSchema"], now_live["sdl"], uses or {})


def _require_composer(context: RequestContext) -> SubgraphComposer:
    if context.composer is None:
        raise NotAllowed("This gateway accepts no subgraphs: its operator has not opened the registry.")
    return context.composer


async def _check_publisher(context: RequestContext, agency_id: str) -> None:
    await reference.require_agency(context, agency_id, "agency")
    if not policy.may_publish_subgraph(context.viewer, agency_id):
        raise NotAllowed(f"You may not publish the subgraph of {agency_id}: its own admin does.")


async def _find_candidate(context: RequestContext, agency_id: str, publication: Publication) -> Member:
    if publication.version is not None:
        if publication.sdl is not None or publication.url is not None:
            raise InvalidInput("Give a version, or an sdl and a url, not both.", field=("input", "version"))
        before = await context.store.subgraph_versions.find_one(
            {"_id": _make_version_id(agency_id, publication.version)}, max_time_ms=MAX_TIME_MS
        )
        if before is None:
            raise NotFound(f"{agency_id} has published no version {publication.version}.", field=("input", "version"))
        return Member(agency_id, before["url"], before["sdl"])
    if publication.sdl is None or publication.url is None:
        raise InvalidInput("Give an sdl and a url, or the version to go back to.", field=("input", "sdl"))
    return Member(agency_id, publication.url, _check_sdl(publication.sdl))


def _check_sdl(sdl: str) -> str:
    if len(sdl) > MAX_SDL_CHARACTERS:
        raise InvalidInput(
            f"sdl has {len(sdl)} characters; at most {MAX_SDL_CHARACTERS} are taken.", field=("input", "sdl")
        )
    return sdl


async def read_members(store: Store, now_live: SupergraphDoc) -> list[Member]:
    """Read the subgraphs of which the supergraph was composed."""
    ids = [_make_version_id(agency, version) for agency, version in now_live["members"].items()]
    found = store.subgraph_versions.find({"_id": {"$in": ids}}, max_time_ms=MAX_TIME_MS)
    return [Member(row["agency"], row["url"], row["sdl"]) for row in await found.to_list(None)]


async def _store_version(context: RequestContext, candidate: Member) -> SubgraphVersionDoc | None:
    """Store the next version of the agency's subgraph; None when another publisher has taken the number."""
    versions = context.store.subgraph_versions
    latest = await versions.find_one({"agency": candidate.agency}, sort=[("version", -1)], max_time_ms=MAX_TIME_MS)
    number = 1 if latest is None else latest["version"] + 1
    version: SubgraphVersionDoc = {
        "_id": _make_version_id(candidate.agency, number),
        "agency": candidate.agency,
        "version": number,
        "url": candidate.url,
        "sdl": candidate.sdl,
        "publishedAt": context.now,
        "publishedBy": context.viewer.subject,
    }
    try:
        await versions.insert_one(version)
    except DuplicateKeyError:
        return None
    return version


async def _exchange_live(
    context: RequestContext,
    before: SupergraphDoc,
    members: Mapping[str, int],
    outcome: CompositionOutcome,
    processed: list[PublicationDoc],
) -> bool:
    after: Changes = {
        "version": before["version"] + 1,
        "members": dict(members),
        "sdl": outcome.supergraph,
        "apiSchema": outcome.api_schema,
        "composedAt": context.now,
        "processed": processed,
    }
    # At version 0 there is no document yet. Of two first publishers, one fails on the primary key.
    try:
        done = await context.store.supergraphs.update_one(
            {"_id": LIVE, "version": before["version"]}, {"$set": after}, upsert=before["version"] == 0
        )
    except DuplicateKeyError:
        return False
    return bool(done.modified_count or done.upserted_id)


def _check_expected(now_live: SupergraphDoc, agency_id: str, expected: int | None) -> None:
    standing = now_live["members"].get(agency_id)
    if expected is not None and expected != standing:
        raise ChangedMeanwhile(
            f"{agency_id} is published at version {standing or 'none'}, not {expected}: read it again.",
            field=("input", "expectedVersion"),
        )


def _add_processed(
    now_live: SupergraphDoc, token: str | None, attempt: Attempt, version_id: str
) -> list[PublicationDoc]:
    kept = now_live["processed"][-KEPT_KEYS + 1 :]
    return kept if token is None else [*kept, {"key": token, "digest": attempt.digest, "version": version_id}]


def _find_done(now_live: SupergraphDoc, token: str, attempt: Attempt) -> str | None:
    """Return the version that an earlier call with this key has published or retired. Raises IdempotencyConflict."""
    row = next((row for row in now_live["processed"] if row["key"] == token), None)
    if row is None:
        return None
    if row["digest"] != attempt.digest:
        raise build_conflict(attempt)
    return str(row["version"])


async def _read_version(store: Store, version_id: str) -> SubgraphVersionDoc:
    found = await store.subgraph_versions.find_one({"_id": version_id}, max_time_ms=MAX_TIME_MS)
    if found is None:
        raise NotFound(f"There is no version {version_id}.")
    return found


def _make_version_id(agency: str, version: int) -> str:
    return f"{agency}@{version}"


def _summarize_findings(outcome: CompositionOutcome) -> str:
    against = [
        row for row in outcome.findings if row["kind"] in (SubgraphFindingKind.RULE, SubgraphFindingKind.COMPOSITION)
    ]
    more = f" (and {len(against) - 1} more: checkSubgraph lists them)" if len(against) > 1 else ""
    return f"{against[0]['message']}{more}"
