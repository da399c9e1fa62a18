"""What somebody typed to get on with it is told from what a machine drew."""

import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.runtime.guessable import WORDS, weakness

LEAST = 12
TYPED = st.sampled_from(string.printable.strip())


@given(letter=TYPED, count=st.integers(1, 200))
def test_one_letter_repeated_is_never_taken(letter: str, count: int) -> None:
    assert weakness(letter * count, least_length=LEAST)


@given(piece=st.text(TYPED, min_size=1, max_size=40), count=st.integers(2, 9), rest=st.integers(0, 40))
def test_a_piece_repeated_is_never_taken_even_if_the_last_is_cut(piece: str, count: int, rest: int) -> None:
    assert weakness(piece * count + piece[:rest], least_length=LEAST)


@given(
    word=st.sampled_from(WORDS),
    other=st.sampled_from(WORDS),
    between=st.sampled_from(["", "-", "_", " ", "."]),
    digits=st.text(st.sampled_from(string.digits + "!-_"), max_size=8),
    upper=st.booleans(),
)
def test_known_words_are_not_taken_however_they_are_joined(
    word: str, other: str, between: str, digits: str, upper: bool
) -> None:
    text = f"{word}{between}{other}{digits}"
    assert weakness(text.upper() if upper else text, least_length=8)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        pytest.param("", "shorter than 12", id="empty"),
        pytest.param("x7Kq2", "shorter than 12", id="short"),
        pytest.param("aaaaaaaaaaaaaaaa", "repeats", id="one letter"),
        pytest.param("AaAaAaAaAaAaAaAa", "repeats", id="one letter in two sizes"),
        pytest.param("passwordpassword", "repeats", id="a word twice"),
        pytest.param("aaaaaaaaaaaaaaab", "different characters", id="two letters"),
        pytest.param("abcdefghijklmnop", "alphabet", id="alphabet"),
        pytest.param("ponmlkjihgfedcba", "alphabet", id="alphabet backwards"),
        pytest.param("1234567890123456", "alphabet|repeats", id="digits"),
        pytest.param("qwertyuiopasdfgh", "keyboard", id="keyboard"),
        pytest.param("password12345678", "words", id="a word and digits"),
        pytest.param("P4ssw0rd-Ch4nge-Me!", "words", id="a word with digits for letters"),
        pytest.param("my-verify-token", "words", id="words for their own purpose"),
        pytest.param("whatsapp_webhook", "words", id="words of the trade"),
    ],
)
def test_says_why(secret: str, why: str) -> None:
    said = weakness(secret, least_length=LEAST)
    assert said
    assert any(word in said for word in why.split("|"))
    assert not secret or secret not in said


def test_what_a_machine_drew_is_taken() -> None:
    drawn = [made for _ in range(300) for made in (secrets.token_hex(16), secrets.token_urlsafe(12))]
    assert [secret for secret in drawn if weakness(secret, least_length=LEAST)] == []


def test_a_sentence_of_ones_own_is_taken() -> None:
    assert weakness("the token of our little bakery in Lucca", least_length=LEAST) is None
