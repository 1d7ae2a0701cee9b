"""What is kept of documents is charged with what it takes, whatever they are like."""

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress

import pytest

import schema
from gateway.operation.document import CACHED_BYTES, CACHED_DOCUMENTS, Documents, InvalidDocument
from gateway.operation.lru import LruCache
from gateway.operation.prepare import prepare

BUILT = schema.build()._schema
TEXTS = {
    "one field": "{ viewer { role } }",
    "one field again and again": "{viewer{" + " ".join(["role"] * 100) + "}}",
    "nested": "{" + " ".join(f"c{n}:complaints(first:1){{nodes{{id holder{{id name}}}}}}" for n in range(20)) + "}",
    "arguments": "{" + " ".join(f'c{n}:complaint(id:"LP-{n}"){{id title}}' for n in range(20)) + "}",
    "a long list": "{complaints(filter:{status:[" + ",".join(["ROUTED"] * 300) + "]}){nodes{id}}}",
    "spreads": "{viewer{" + " ".join(["...F"] * 150) + "}} fragment F on Viewer{role}",
    "variables": "query(" + " ".join(f"$v{n}:Int=1" for n in range(20)) + "){"
    "" + " ".join(f"c{n}:complaints(first:$v{n}){{totalCount}}" for n in range(20)) + "}",
    "an interface": '{node(id:"x"){id ...on Complaint{title body} ...on Team{id name}}}',
    "a filter": "query($f:ComplaintFilter){complaints(filter:$f){nodes{id}}}",
    "a variable that is missing": "mutation($i:SubmitComplaintInput!){submitComplaint(input:$i){complaint{id}}}",
    "unknown fields": "{viewer{" + " ".join(["x"] * 100) + "}}",
    "a syntax error": "{viewer{" + " ".join(["x"] * 400) + "}",
    "an unused variable": "query($v:[[Int]]=[" + ",".join(["[]"] * 200) + "]){viewer{role}}",
    "many operations": " ".join(f"query q{n}{{viewer{{role}}}}" for n in range(20)),
}


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> Iterator[None]:
    """What is alive already is left out of every collection: schemas and other tests' modules are most of the heap."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def ask(documents: Documents, text: str) -> None:
    names = [f"q{n}" for n in range(20)] if "query q0" in text else [None]
    for name in names:
        with suppress(InvalidDocument):
            prepare(documents, text, name, {}, 10**9)


@pytest.mark.parametrize("kind", TEXTS)
def test_a_document_is_charged_with_at_least_what_it_takes(kind: str) -> None:
    before = Documents(BUILT)
    ask(before, TEXTS[kind])  # what is kept once for the schema, whatever is asked, is made now
    documents = Documents(BUILT, input_checks=before.input_checks)
    gc.collect()
    tracemalloc.start()
    try:
        ask(documents, TEXTS[kind])
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken <= documents._checked.held_bytes
    assert documents._checked.held_bytes <= 8 * taken, "a charge that is far too high leaves no room"


@pytest.mark.parametrize("kind", TEXTS)
def test_a_document_that_is_forgotten_leaves_nothing_to_the_collector(kind: str) -> None:
    documents = Documents(BUILT)
    ask(documents, TEXTS[kind])
    gc.collect()
    documents._checked.grow(TEXTS[kind], CACHED_BYTES)
    assert len(documents._checked) == 0
    assert gc.collect() == 0


def test_ever_new_documents_do_not_grow_what_is_kept() -> None:
    """Three times as many as there is room for, in a cache of an eighth of the size."""
    size_bytes = CACHED_BYTES // 8
    documents = Documents(BUILT, _checked=LruCache(CACHED_DOCUMENTS, size_bytes))
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(35):
            ask(documents, f"query n{number}" + TEXTS["nested"])
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(documents._checked) < 13
    assert taken <= documents._checked.held_bytes <= size_bytes
