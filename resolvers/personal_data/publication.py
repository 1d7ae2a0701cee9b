"""Makes the texts of a complaint that others may read and search: personal data masked, search words marked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from resolvers.documents import ComplaintDoc, PublicTextsDoc
from resolvers.domain import redaction, search_words
from resolvers.domain.redaction import Span
from resolvers.domain.vocabulary import PersonalDataKind
from resolvers.personal_data import personal_data
from resolvers.personal_data.stems import list_stems
from resolvers.results import PersonalDataFindingResult


@dataclass(frozen=True, slots=True)
class ScannedTexts:
    """The title and body of a complaint, and the spans of personal data in each."""

    title: str
    body: str
    in_title: Sequence[Span]
    in_body: Sequence[Span]

    @property
    def names_a_person(self) -> bool:
        return redaction.names_a_person([*self.in_title, *self.in_body])

    def make_keys(self, *, published: bool = False) -> PublicTextsDoc:
        """Return the keys of a complaint that are made from its texts."""
        shown = redaction.mask_spans(self.title, self.in_title), redaction.mask_spans(self.body, self.in_body)
        return make_text_keys(self.title, self.body, *shown, published=published)

    def list_findings(self) -> list[PersonalDataFindingResult]:
        """Return the number of findings by field and kind, never the words themselves."""
        return [
            {"field": field, "kind": kind, "count": count}
            for field, spans in (("title", self.in_title), ("body", self.in_body))
            for kind, count in Counter(span.kind for span in spans).items()
        ]


def scan_texts(title: str, body: str) -> ScannedTexts:
    return ScannedTexts(title, body, personal_data.scan_text(title), personal_data.scan_text(body))


def find_repeated_kinds(complaint: ComplaintDoc, text: str) -> list[PersonalDataKind]:
    """Return the kinds of the complaint's personal data that `text` repeats in any spelling; places do not count."""
    clean = {complaint["redactedTitle"], complaint["redactedBody"]}
    own = dict.fromkeys(complaint[key] for key in ("title", "originalTitle", "body"))
    personal = (
        (said[span.start : span.end], span.kind)
        for said in own
        if said not in clean
        for span in personal_data.scan_text(said)
        if redaction.is_of_a_person(span.kind)
    )
    return redaction.find_repeated_kinds(text, personal)


def make_text_keys(
    title: str, body: str, shown_title: str, shown_body: str, *, published: bool = False
) -> PublicTextsDoc:
    full = list_stems(f"{title}\n{body}")
    shown = full if (title, body) == (shown_title, shown_body) else list_stems(f"{shown_title}\n{shown_body}")
    words = search_words.mark_words(full, shown, published=published)
    return {"redactedTitle": shown_title, "redactedBody": shown_body, "words": words}
