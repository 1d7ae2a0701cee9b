"""The load generator: what is not right is counted, what breaks off is said."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from httptools import HttpParserError

from bench.load import Bounds, CheckedRequest, build_request, request_once, run_load

MANY_SECONDS = 60


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


def asked(port: int) -> bytes:
    return build_request("POST", "/", port=port, body={"query": "{ a }"})


@pytest.mark.parametrize(
    ("status", "body", "failed"), [(200, b"right", 0), (200, b"wrong", 40), (500, b"right", 40)], ids=str
)
def test_every_answer_is_checked(status: int, body: bytes, failed: int) -> None:
    with answering(status, body) as port:
        ask = CheckedRequest(asked(port), lambda given: given == b"right")
        done = run_load(port, lambda: ask, 4, Bounds(MANY_SECONDS, 40))
    assert (done.requests, done.failed) == (40, failed)
    assert (done.first_failure is None) == (failed == 0)
    assert 0 < done.percentile_ms(0.5) <= done.percentile_ms(0.99)


def test_a_run_ends_with_its_time() -> None:
    with answering(200, b"right") as port:
        ask = CheckedRequest(asked(port), lambda given: True)
        assert run_load(port, lambda: ask, 2, Bounds(0.05, 10**9)).requests > 0
        assert run_load(port, lambda: ask, 2, Bounds(0, 10**9)).requests == 1


def test_a_server_that_hangs_up_ends_the_run() -> None:
    with answering(0, b"") as port, pytest.raises(ConnectionError, match="closed a connection"):
        run_load(port, lambda: CheckedRequest(asked(port), lambda given: True), 2, Bounds(MANY_SECONDS, 10))


def test_a_check_that_breaks_ends_the_run() -> None:
    with answering(200, b"right") as port, pytest.raises(HttpParserError):
        run_load(port, lambda: CheckedRequest(asked(port), lambda given: bool(1 // 0)), 1, Bounds(MANY_SECONDS, 10))


def test_one_answer_is_the_body_or_an_error() -> None:
    with answering(200, b"right") as port:
        assert request_once(port, asked(port)) == b"right"
    with answering(503, b"later") as port, pytest.raises(ConnectionError, match="503: later"):
        request_once(port, asked(port))
