"""Looks up reference data that an input names, and refuses an unknown id with the field at fault.

Reference data are agencies, regions, categories and teams.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from resolvers.answer_cache import AnswerCache
from resolvers.documents import DESK, AgencyDoc, CategoryDoc, DecreeDoc, HolderDoc, RegionDoc
from resolvers.domain.vocabulary import TimeZone
from resolvers.errors import InvalidInput
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.loaders import ById

Listed = TypeVar("Listed", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True)
class Register(Generic[Listed]):
    """Reads one collection of reference data: called with an id, it returns the document or None."""

    of: Callable[[RequestContext], ById[Listed]]

    def __call__(self, context: RequestContext, document_id: str) -> Awaitable[Listed | None]:
        return self.of(context).load(document_id)

    def find_cache(self, context: RequestContext) -> AnswerCache | None:
        """Return the cache of answers that belongs to the documents in the process.

        None when the request reads from the database.
        """
        return self.of(context).find_answers()


async def require_agency(context: RequestContext, agency_id: str, *field: str) -> AgencyDoc:
    found = await context.loaders.agency.load(agency_id)
    if found is None:
        raise InvalidInput(f"There is no agency {agency_id!r}: see the query agencies.", field=("input", *field))
    return found


async def find_holding_agency(context: RequestContext, agency_id: str, *field: str) -> AgencyDoc:
    """Return the agency if it is connected, else the agency that holds complaints for it.

    That is its province, or the national desk when it has no province.
    """
    found = await require_agency(context, agency_id, *field)
    if found["connected"]:
        return found
    return await require_agency(context, found["province"] or DESK, *field)


async def require_region(context: RequestContext, code: str, *field: str) -> RegionDoc:
    found = await context.loaders.region.load(code)
    if found is None:
        raise InvalidInput(f"There is no region {code!r}: see the query regions.", field=("input", *field))
    return found


async def require_category(context: RequestContext, code: str) -> CategoryDoc:
    found = await context.loaders.category.load(code)
    if found is None:
        raise InvalidInput(f"There is no category {code!r}: see the query categories.", field=("input", "category"))
    return found


async def check_supporting(context: RequestContext, agency_ids: Sequence[str]) -> list[str]:
    """Return the ids in their order, each once. Raises InvalidInput for an id that is not an agency's."""
    found = [await require_agency(context, agency_id, "supporting") for agency_id in dict.fromkeys(agency_ids)]
    return [agency["_id"] for agency in found]


def make_decree(given: Mapping[str, Any]) -> DecreeDoc:
    """Return the document of the decree that an input describes. Raises InvalidInput."""
    return {
        "number": text.clean_required(given["number"], "decree", "number", at_most=text.MAX_NAME),
        "issuer": text.clean_required(given["issuer"], "decree", "issuer", at_most=text.MAX_NAME),
        "issuedOn": given.get("issuedOn"),
        "title": text.clean_required(given["title"], "decree", "title", at_most=500),
    }


async def find_zone(context: RequestContext, agency: AgencyDoc) -> TimeZone:
    """Return the time zone of the agency's region; Jakarta's for ministries and institutions."""
    governed = None if agency["region"] is None else await context.loaders.region.load(agency["region"])
    return TimeZone(governed["timeZone"]) if governed else TimeZone.WIB


def make_holder_keys(agency: AgencyDoc, holders: Sequence[str]) -> HolderDoc:
    """Return the keys of a complaint that name its holder; the new holder becomes the last of `holders`."""
    agency_id = agency["_id"]
    return {
        "holder": agency_id,
        "holderKind": agency["kind"],
        "holderProvince": agency["province"],
        "custodian": agency["custodian"],
        "holders": [*(held for held in holders if held != agency_id), agency_id],
    }
