"""Where the gateway connects to on an agency's behalf, and where never."""

import pytest

from gateway.registry.addresses import ForbiddenAddress, PublicResolver, check_url, is_public


@pytest.mark.parametrize("address", ["8.8.8.8", "103.10.66.1", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_a_public_address_is_taken(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
        *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "fec0::1", "", "localhost", "127.1"),
    ],
)
def test_no_other_address_is(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("url", ["https://api.badungkab.go.id/graphql", "https://api.badungkab.go.id:8443/a?b=c"])
def test_a_host_by_name_over_https_is_taken(url: str) -> None:
    check_url(url, development=False)


@pytest.mark.parametrize(
    "url",
    [
        *("http://api.badungkab.go.id/", "ftp://api.badungkab.go.id/", "file:///etc/passwd", "https://", "//host/", ""),
        *("https://user:pw@host.go.id/", "https://user@host.go.id/", "https://127.0.0.1/", "https://127.1/"),
        *("https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://[::1]/", "https://10.0.0.1./"),
        *("https://host.go.id/#x", "https://host.go.id/a b", "https://höst.go.id/", "https://host.go.id:port/"),
        *("https://host.go.id:99999/", "https://[::1/", "https://host.go.id/" + "a" * 2000),
    ],
)
def test_no_other_url_is(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(url, development=False)


def test_in_development_this_machine_is_taken() -> None:
    check_url("http://127.0.0.1:4001/graphql", development=True)
    with pytest.raises(ForbiddenAddress):
        check_url("gopher://127.0.0.1/", development=True)


async def test_a_name_that_leads_here_is_not_connected_to() -> None:
    resolver = PublicResolver()
    try:
        with pytest.raises(ForbiddenAddress, match="localhost cannot be reached"):
            await resolver.resolve("localhost", 443)
    finally:
        await resolver.close()
