"""What may be fetched: hosts by name, at public addresses, however a link or an address is written."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.sender.domain.web_addresses import AllowedHosts, NotAllowed, is_name, is_public

HOST = "cdn.example.com"
ALLOWED = AllowedHosts(frozenset({HOST, "127.0.0.1", "2130706433", "0x7f.1"}))

PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::1"]
NOT_PUBLIC = {
    "this network": "0.0.0.0",
    "private 10": "10.1.2.3",
    "private 172": "172.31.255.255",
    "private 192": "192.168.0.1",
    "carrier": "100.64.0.1",
    "a cloud's metadata in the carrier's": "100.100.100.200",
    "loopback": "127.8.9.1",
    "metadata": "169.254.169.254",
    "a cloud's own server": "168.63.129.16",
    "a cloud's metadata in the protocols'": "192.0.0.192",
    "documentation": "203.0.113.9",
    "benchmarks": "198.19.0.1",
    "6to4 relay": "192.88.99.1",
    "multicast": "224.0.0.1",
    "reserved": "250.0.0.1",
    "broadcast": "255.255.255.255",
    "unspecified 6": "::",
    "loopback 6": "::1",
    "mapped": "::ffff:8.8.8.8",
    "mapped private": "::ffff:10.0.0.1",
    "compatible": "::8.8.8.8",
    "translated": "::ffff:0:8.8.8.8",
    "NAT64": "64:ff9b::8.8.8.8",
    "local NAT64": "64:ff9b:1::1",
    "discard": "100::1",
    "Teredo": "2001:0:4136:e378::1",
    "ORCHID": "2001:20::1",
    "documentation 6": "2001:db8::1",
    "new documentation 6": "3fff::1",
    "6to4": "2002:0808:0808::1",
    "private 6": "fd00:ec2::254",
    "link-local": "fe80::1",
    "link-local with its zone": "fe80::1%eth0",
    "public with a zone": "2606:4700::1111%1",
    "site-local": "fec0::1",
    "multicast 6": "ff02::1",
    "segments": "5f00::1",
    "decimal": "2130706433",
    "octal": "0177.0.0.1",
    "hex": "0x7f000001",
    "short": "127.1",
    "a name": "localhost",
    "nothing": "",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_an_address_of_special_use_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(
    st.integers(min_value=0, max_value=2**32 - 1), st.sampled_from([0, 0xFFFF, 0xFFFF0000, 0x64FF9B << 72])
)
def test_no_address_of_the_old_internet_is_public_within_one_of_the_new(old: int, within: int) -> None:
    assert not is_public(str(IPv6Address((within << 32 if within < 2**33 else within) | old)))
    assert not is_public(str(IPv6Address(0x2002 << 112 | old << 80 | 1)))


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert not is_public(str(address))


REFUSED = {
    "another host": ("https://evil.example/a.png", "host_not_allowed"),
    "a host below it": (f"https://x.{HOST}/a.png", "host_not_allowed"),
    "a host that ends like it": (f"https://x{HOST}/a.png", "host_not_allowed"),
    "a host that begins like it": (f"https://{HOST}.evil.example/a.png", "host_not_allowed"),
    "with the root's dot": (f"https://{HOST}./a.png", "host_not_allowed"),
    "not encrypted": (f"http://{HOST}/a.png", "not_https"),
    "a file": ("file:///etc/passwd", "not_a_web_address"),
    "another protocol": (f"gopher://{HOST}/", "not_a_web_address"),
    "somebody's name": (f"https://user@{HOST}/", "not_a_web_address"),
    "somebody's word": (f"https://user:word@{HOST}/", "not_a_web_address"),
    "the host as somebody": (f"https://{HOST}@evil.example/", "not_a_web_address"),
    "the host as somebody, hidden": (f"https://{HOST}%40evil.example/", "host_not_allowed"),
    "another port": (f"https://{HOST}:8443/", "host_not_allowed"),
    "the port of what is not encrypted": (f"https://{HOST}:80/", "host_not_allowed"),
    "a port that is none": (f"https://{HOST}:/", "host_not_allowed"),
    "a backslash": (f"https://evil.example\\@{HOST}/", "not_a_web_address"),
    "a backslash behind": (f"https://{HOST}\\.evil.example/", "not_a_web_address"),
    "a line's end": (f"https://{HOST}/a\r\nx: y", "not_a_web_address"),
    "a space": (f"https://{HOST} .evil.example/", "not_a_web_address"),
    "a tab": (f"https://{HOST}\t/", "not_a_web_address"),
    "other letters that look alike": ("https://cdn．example．com/", "host_not_allowed"),
    "no host": ("https:///a.png", "not_a_web_address"),
    "an address, though listed": ("https://127.0.0.1/", "host_not_allowed"),
    "in decimal": ("https://2130706433/", "host_not_allowed"),
    "short and in hex": ("https://0x7f.1/", "host_not_allowed"),
    "of the new Internet": ("https://[::1]/", "host_not_allowed"),
    "too long": (f"https://{HOST}/{'a' * 2048}", "not_a_web_address"),
    "nothing": ("", "not_a_web_address"),
}


@pytest.mark.parametrize(("url", "why"), REFUSED.values(), ids=REFUSED)
def test_a_link_that_leads_elsewhere_is_refused(url: str, why: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        ALLOWED.target(url)
    assert refused.value.why == why
    assert url not in ALLOWED


WRITTEN = {
    "as it is": (f"https://{HOST}/a/b.png?v=1", f"https://{HOST}/a/b.png?v=1"),
    "with its port": (f"https://{HOST}:443/a.png", f"https://{HOST}/a.png"),
    "in large letters": ("HTTPS://CDN.Example.COM/A.png".replace("HTTPS", "https"), f"https://{HOST}/A.png"),
    "without a path": (f"https://{HOST}", f"https://{HOST}/"),
    "with a query alone": (f"https://{HOST}?a=1", f"https://{HOST}/?a=1"),
    "with a fragment": (f"https://{HOST}/a.png#there", f"https://{HOST}/a.png"),
    "percent-encoded": (f"https://{HOST}/a%20b%2Fc.png", f"https://{HOST}/a%20b%2Fc.png"),
    "with letters of a language": (f"https://{HOST}/città.png", f"https://{HOST}/citt%C3%A0.png"),
    "with an at further on": (f"https://{HOST}/@me?x=a@b", f"https://{HOST}/@me?x=a@b"),
}


@pytest.mark.parametrize(("url", "written"), WRITTEN.values(), ids=WRITTEN)
def test_a_link_to_a_listed_host_is_written_anew(url: str, written: str) -> None:
    target = ALLOWED.target(url)
    assert (target.url, target.host, target.vouched) == (written, HOST, False)


def test_an_origin_that_the_operator_vouches_for_is_taken_as_it_is_and_no_other() -> None:
    allowed = AllowedHosts(frozenset(), frozenset({"http://127.0.0.1:8090"}))
    assert allowed.target("http://127.0.0.1:8090/a?b=c").vouched
    for other in ("http://127.0.0.1:8091/a", "https://127.0.0.1:8090/a", "http://127.0.0.1/a"):
        assert other not in allowed


@given(st.text(max_size=60))
def test_whatever_is_written_leads_to_a_listed_host_or_nowhere(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{HOST}{text}", f"https://{text}{HOST}/"):
        if url in ALLOWED:
            assert ALLOWED.target(url).url.startswith(f"https://{HOST}/")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "a.1", "a.0x1f", "A.example", "-a.example", "a..b", ""]
)
def test_only_a_full_name_is_a_name(host: str) -> None:
    assert not is_name(host)
    assert is_name("a-b.xn--bcher-kva.example")
