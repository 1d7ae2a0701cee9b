"""Reduces Indonesian words to their stems, in texts and in searches: "memperbaiki" and "perbaikan" become "baik"."""

import re
from functools import cache, lru_cache
from typing import Any, Final

from Sastrawi.Stemmer.StemmerFactory import StemmerFactory
from Sastrawi.StopWordRemover.StopWordRemoverFactory import StopWordRemoverFactory

MAX_STEMS: Final = 120
"""Most stems of one text: more than a complaint has, and few enough for the index."""

_WORD: Final = re.compile(r"[a-z0-9]{2,40}")
_MASK: Final = re.compile(r"\[[^\]\[]{1,20}\]")


def list_stems(text: str) -> tuple[str, ...]:
    """Return the stems of the words that carry meaning, each once, in the order of the text.

    Stop words and masks such as `[nama]` are left out.
    """
    words = _WORD.findall(_MASK.sub(" ", text).lower())
    found = dict.fromkeys(_stem(word) for word in dict.fromkeys(words) if word not in _load_stop_words())
    return tuple(found)[:MAX_STEMS]


# The stemmer takes 0.1 to 3 ms a word, and complaints repeat words. The cache is bounded because texts may be hostile.
@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return word if any(character.isdigit() for character in word) else str(_load_stemmer().stem_word(word))


@cache
def _load_stemmer() -> Any:
    factory = StemmerFactory()
    return factory.create_stemmer().delegatedStemmer


@cache
def _load_stop_words() -> frozenset[str]:
    return frozenset(StopWordRemoverFactory().get_stop_words()) | _OF_COMPLAINTS


_OF_COMPLAINTS: Final = frozenset({"mohon", "tolong", "terima", "kasih", "segera", "lapor", "laporan", "melaporkan"})
"""Words that nearly every complaint contains."""
