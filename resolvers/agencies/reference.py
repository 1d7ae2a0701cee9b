"""Agencies, regions, categories, teams: by their ids, and what an input names or is refused with the field at fault."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.answer_cache import Made
from resolvers.documents import DESK
from resolvers.domain.vocabulary import TimeZone
from resolvers.errors import InvalidInput
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.loaders import ById
from resolvers.store.database import Document


@dataclass(frozen=True, slots=True)
class Register:
    """A collection of reference data: called with an id it gives the document, or None."""

    of: Callable[[RequestContext], ById]

    def __call__(self, context: RequestContext, document_id: str) -> Awaitable[Document | None]:
        return self.of(context).load(document_id)

    def made(self, context: RequestContext) -> Made | None:
        """What has been made of the documents in the process; None where the request reads from the database."""
        return self.of(context).made()


async def require_agency(context: RequestContext, agency_id: str, *field: str) -> Document:
    found = await context.loaders.agency.load(agency_id)
    if found is None:
        raise InvalidInput(f"There is no agency {agency_id!r}: see the query agencies.", field=("input", *field))
    return found


async def find_holding_agency(context: RequestContext, agency_id: str, *field: str) -> Document:
    """The agency; for one that is not connected its province, which holds as custodian, else the national desk."""
    found = await require_agency(context, agency_id, *field)
    if found["connected"]:
        return found
    return await require_agency(context, found["province"] or DESK, *field)


async def require_region(context: RequestContext, code: str, *field: str) -> Document:
    found = await context.loaders.region.load(code)
    if found is None:
        raise InvalidInput(f"There is no region {code!r}: see the query regions.", field=("input", *field))
    return found


async def require_category(context: RequestContext, code: str) -> Document:
    found = await context.loaders.category.load(code)
    if found is None:
        raise InvalidInput(f"There is no category {code!r}: see the query categories.", field=("input", "category"))
    return found


async def check_supporting(context: RequestContext, agency_ids: Sequence[str]) -> list[str]:
    """The ids, each of them an agency's, in their order and once."""
    found = [await require_agency(context, agency_id, "supporting") for agency_id in dict.fromkeys(agency_ids)]
    return [agency["_id"] for agency in found]


def make_decree(given: Mapping[str, Any]) -> Document:
    """The decree that an input names."""
    return {
        "number": text.clean_required(given["number"], "decree", "number", at_most=text.MAX_NAME),
        "issuer": text.clean_required(given["issuer"], "decree", "issuer", at_most=text.MAX_NAME),
        "issuedOn": given.get("issuedOn"),
        "title": text.clean_required(given["title"], "decree", "title", at_most=500),
    }


async def find_zone(context: RequestContext, agency: Document) -> TimeZone:
    """The agency's working time: its region's, and Jakarta's for ministries and institutions."""
    governed = None if agency["region"] is None else await context.loaders.region.load(agency["region"])
    return TimeZone(governed["timeZone"]) if governed else TimeZone.WIB


def make_holder_keys(agency: Mapping[str, Any], holders: Sequence[str]) -> Document:
    """The keys of a complaint that name its holder."""
    agency_id = agency["_id"]
    return {
        "holder": agency_id,
        "holderKind": agency["kind"],
        "holderProvince": agency["province"],
        "custodian": agency["custodian"],
        "holders": [*(held for held in holders if held != agency_id), agency_id],
    }
