"""/healthz and /readyz, with and without a database."""

from support.portal import Portal

from gateway.http.health import Readiness


async def test_a_gateway_with_a_database_is_healthy_and_ready(edge: Portal) -> None:
    for path, status in (("healthz", "ok"), ("readyz", "ready")):
        async with edge.session.get(f"{edge.url}/{path}") as response:
            assert (response.status, await response.json()) == (200, {"status": status})


async def test_without_a_database_it_is_not_ready_and_asks_at_most_once_a_second() -> None:
    asked: list[bool] = []

    async def ping() -> bool:
        asked.append(True)
        return False

    readiness = Readiness(ping)
    answers = [await readiness.readyz(None) for _ in range(5)]  # type: ignore[arg-type]
    assert {answer.status_code for answer in answers} == {503}
    assert len(asked) == 1


async def test_a_gateway_that_stops_is_no_longer_ready() -> None:
    async def ping() -> bool:
        return True

    readiness = Readiness(ping)
    assert (await readiness.readyz(None)).status_code == 200  # type: ignore[arg-type]
    readiness.is_stopping = True
    assert (await readiness.readyz(None)).status_code == 503  # type: ignore[arg-type]
