"""What reaches people, and what must not be used there."""

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from garbo.common.errors import StartRefused
from garbo.common.runtime.live import WithPlatform, reaches_people
from garbo.common.runtime.published import is_published
from garbo.common.runtime.settings import HashKey, Secrets, load


class Guarded(WithPlatform):
    service: ClassVar[str] = "ingest"
    hash_key: HashKey = SecretStr("5b0ef8c2d1a94a37b6f2c0de9a1387f4")
    whatsapp_app_secrets: Secrets = (SecretStr("1f0e9d8c7b6a59483726150413f2e1d0"),)
    whatsapp_verify_token: SecretStr = SecretStr("9c2f7be04d61")


@pytest.mark.parametrize(
    ("url", "live"),
    [
        pytest.param("https://graph.facebook.com", True, id="meta"),
        pytest.param("https://[2001:db8::1]:8443", True, id="an address"),
        pytest.param("https://simulator.example.com", True, id="a name that begins like ours"),
        pytest.param("https://localhost.example.com", True, id="a name that begins like this machine's"),
        pytest.param("https://127.0.0.1.nip.io", True, id="a name that begins like its address"),
        pytest.param("https://0.0.0.0", True, id="every address"),
        pytest.param("http://simulator:8080", False, id="the simulator"),
        pytest.param("http://SIMULATOR:8080", False, id="the simulator in capitals"),
        pytest.param("http://localhost", False, id="this machine"),
        pytest.param("https://127.5.0.1:1", False, id="the whole loopback net"),
        pytest.param("http://[::1]:8090", False, id="loopback in IPv6"),
        pytest.param("http://[::ffff:127.0.0.1]:8090", False, id="loopback mapped into IPv6"),
    ],
)
def test_only_this_machine_and_the_simulator_do_not_reach_people(url: str, *, live: bool) -> None:
    assert reaches_people(url) is live
    assert load(Guarded, {"GARBO_GRAPH_URL": url}).live is live


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.facebook.com",
        "HTTP://graph.facebook.com",
        "http://10.0.0.1",
        "http://simulator.svc",
        "http://2130706433",
    ],
)
def test_plain_http_is_refused_where_people_are(url: str) -> None:
    with pytest.raises(StartRefused, match="GARBO_GRAPH_URL is not https"):
        load(Guarded, {"GARBO_GRAPH_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "graph.facebook.com",
        "ftp://simulator",
        "https://",
        "https://[::1",
        "https://graph.facebook.com:port",
        "https://graph.facebook.com/v25.0",
        "https://graph.facebook.com?x",
        "https://graph.facebook.com#x",
        "http://simulator:8080@graph.facebook.com",
        "http://127.0.0.1\\@graph.facebook.com",
        "https://graph.facebook.com ",
    ],
)
def test_what_is_no_address_of_a_platform_is_refused(url: str) -> None:
    with pytest.raises(StartRefused, match=r"GARBO_GRAPH_URL is wrong: .*should be https://host"):
        load(Guarded, {"GARBO_GRAPH_URL": url})


@pytest.mark.parametrize(
    ("variable", "secret", "why"),
    [
        pytest.param("WHATSAPP_APP_SECRETS", "a", "32 or more", id="one letter"),
        pytest.param("WHATSAPP_APP_SECRETS", "a" * 32, "repeats", id="one letter often"),
        pytest.param("WHATSAPP_APP_SECRETS", "1f0e9d8c7b6a59483726150413f2e1d", "32 or more", id="31"),
        pytest.param("WHATSAPP_APP_SECRETS", "1F0E9D8C7B6A59483726150413F2E1D0", "32 or more", id="capitals"),
        pytest.param(
            "WHATSAPP_APP_SECRETS", "1f0e9d8c7b6a59483726150413f2e1d0,a", "32 or more", id="the second"
        ),
        pytest.param("HASH_KEY", "a" * 16, "repeats", id="one letter as hash key"),
        pytest.param("HASH_KEY", "password12345678", "words", id="a word as hash key"),
        pytest.param("WHATSAPP_VERIFY_TOKEN", "password", "shorter", id="a word as verify token"),
        pytest.param("WHATSAPP_VERIFY_TOKEN", "my-verify-token", "words", id="words as verify token"),
    ],
)
def test_what_could_be_guessed_is_refused_where_people_are(variable: str, secret: str, why: str) -> None:
    told = {f"GARBO_{variable}": secret}
    with pytest.raises(StartRefused, match=f"^GARBO_{variable} .*{why}"):
        load(Guarded, told)
    load(Guarded, told | {"GARBO_GRAPH_URL": "http://simulator:8080"})


@pytest.mark.parametrize("variable", ["WHATSAPP_APP_SECRETS", "HASH_KEY", "WHATSAPP_VERIFY_TOKEN"])
@given(letter=st.sampled_from("0123456789abcdefgxyzABC-_!"), count=st.integers(1, 100))
def test_one_letter_repeated_is_no_secret(variable: str, letter: str, count: int) -> None:
    with pytest.raises(StartRefused, match=f"^GARBO_{variable} "):
        load(Guarded, {f"GARBO_{variable}": letter * count})


@pytest.mark.parametrize(
    "secret",
    [
        "demo-only-password",
        " demo-only-password\n",
        "Demo-Only-Password",
        "demo-something-new",
        "postgresql://garbo:demo-only-password@postgres:5432/garbo",
        "postgresql://garbo:demo%2Donly%2Dpassword@postgres/garbo",
        "postgresql://postgres/garbo?user=garbo&password=demo-only-password",
    ],
)
def test_a_published_secret_is_known_in_every_form(secret: str) -> None:
    assert is_published(secret)


@pytest.mark.parametrize("secret", ["", "postgresql://garbo@[::1/garbo", "postgresql://demo@demo/demo"])
def test_names_are_no_secrets(secret: str) -> None:
    assert not is_published(secret)
