"""The name of a platform message where its wamid must not stand holds nothing of the person."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.events.ids import platform_message_ref

OWN_PART = b"\x15\x02\x00\x11\x18\x12E7FACA000000000001\x00"
PEERS = st.binary(max_size=255)


def wamid_of(peer: bytes, rest: bytes = OWN_PART) -> str:
    """Write a wamid as the platform does."""
    return "wamid." + b64encode(b"\x1c\x18%c%b%b" % (len(peer), peer, rest)).decode()


def test_the_form_is_that_of_a_wamid_of_the_platform() -> None:
    assert wamid_of(b"393331234567") == "wamid.HBgMMzkzMzMxMjM0NTY3FQIAERgSRTdGQUNBMDAwMDAwMDAwMDAxAA=="


@given(PEERS, PEERS)
def test_a_message_has_one_name_whichever_name_of_its_peer_is_inside(one: bytes, other: bytes) -> None:
    assert platform_message_ref(wamid_of(one)) == platform_message_ref(wamid_of(other))


@given(PEERS, st.binary(min_size=12, max_size=40), st.binary(min_size=12, max_size=40))
def test_two_messages_of_a_person_have_two_names(peer: bytes, one: bytes, other: bytes) -> None:
    refs = {platform_message_ref(wamid_of(peer, rest)) for rest in (one, other)}
    assert len(refs) == len({one, other})


@given(st.text() | st.binary().map(lambda raw: "wamid." + b64encode(raw).decode()))
def test_whatever_stands_for_a_wamid_has_a_name_of_32_hex_digits(wamid: str) -> None:
    ref = platform_message_ref(wamid)
    assert len(ref) == 32
    assert set(ref) <= set("0123456789abcdef")
    assert ref == platform_message_ref(wamid)


@pytest.mark.parametrize(
    "rest", [b"", b"\x15\x02\x00", b"\x15\x02\x00\x11\x18\x00\x00"], ids=["none", "head", "no_id"]
)
def test_what_holds_no_id_of_its_own_is_told_apart_by_its_peer(rest: bytes) -> None:
    assert platform_message_ref(wamid_of(b"393331234567", rest)) != platform_message_ref(
        wamid_of(b"393331234568", rest)
    )
