"""The console: shipped with the product, offline, under a strict policy."""

import re

from support.portal import Portal


async def test_the_console_asks_for_nothing_from_elsewhere(edge: Portal) -> None:
    async with edge.session.get(f"{edge.url}/console/") as response:
        page = await response.text()
        policy = response.headers["content-security-policy"]
    assert response.status == 200
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)
    assert "<script>" not in page
    named = [name for name in re.findall(r"(?:src|href)=\"([^\"#]+)\"", page) if not name.startswith("data:")]
    assert len(named) >= 4
    for name in named:
        async with edge.session.get(f"{edge.url}/console/{name.removeprefix('./')}") as file:
            assert file.status == 200, name
            assert file.headers["x-content-type-options"] == "nosniff"


async def test_a_file_that_is_fresh_is_not_sent_again(edge: Portal) -> None:
    url = f"{edge.url}/console/console.js"
    async with edge.session.get(url) as response:
        tag = response.headers["etag"]
    async with edge.session.get(url, headers={"if-none-match": tag}) as response:
        assert response.status == 304


async def test_nothing_outside_the_console_is_served(edge: Portal) -> None:
    for path in ("/console/../app.py", "/console/%2e%2e/app.py", "/console/..%2fapp.py", "/console/vendor/"):
        async with edge.session.get(f"{edge.url}{path}") as response:
            assert response.status == 404, path


async def test_the_bare_address_leads_to_the_console(edge: Portal) -> None:
    async with edge.session.get(f"{edge.url}/") as response:
        assert (response.status, response.url.path) == (200, "/console/")
