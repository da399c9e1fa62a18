"""Bytes from strangers."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.errors import Reject
from garbo.common.events.jsontext import MAX_DEPTH, MAX_VALUES_COUNT, parse_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def nested(levels: int, *, opener: bytes = b"[", closer: bytes = b"]") -> bytes:
    return opener * levels + b"1" + closer * levels


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b"nope", "not_json", id="a word"),
        pytest.param(b"", "not_json", id="nothing"),
        pytest.param(b"\xff\xfe", "not_json", id="not UTF-8"),
        pytest.param(b'{"a":NaN}', "not_json", id="NaN"),
        pytest.param(b'{"a":Infinity}', "not_json", id="infinity"),
        pytest.param(b'{"a":"\\ud800","b":NaN}', "not_json", id="NaN behind a surrogate"),
        pytest.param(nested(MAX_DEPTH + 1), "too_deep", id="65 lists"),
        pytest.param(nested(100_000), "too_deep", id="100,000 lists"),
        pytest.param(nested(200, opener=b'{"a":', closer=b"}"), "too_deep", id="200 objects"),
        pytest.param(b'"\\ud800",' + b"[" * 5000, "not_json", id="deep behind a surrogate"),
    ],
)
def test_is_rejected(text: bytes, why: str) -> None:
    with pytest.raises(Reject) as rejected:
        parse_json(text)
    assert rejected.value.why == why


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"[" + b"[]," * 250_000 + b"[]]", id="lists"),
        pytest.param(b"[" + b"1," * 250_000 + b"1]", id="numbers"),
        pytest.param(b'{"a":[' + b"{}," * 250_000 + b"{}]}", id="objects"),
    ],
)
def test_more_values_than_are_wanted_are_rejected_before_they_are_read(text: bytes) -> None:
    with pytest.raises(Reject, match="too_many_values"):
        parse_json(text, most_values=MAX_VALUES_COUNT)
    assert parse_json(text)


def test_many_values_are_read_and_a_long_text_is_one() -> None:
    many = b"[" + b"1," * 200_000 + b"1]"
    assert len(parse_json(many, most_values=MAX_VALUES_COUNT)) == 200_001
    long = "x" * 3_000_000
    assert parse_json(b'"' + long.encode() + b'"', most_values=MAX_VALUES_COUNT) == long


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b'{"name":"a\\u0000b"}', {"name": "a\ufffdb"}, id="NUL"),
        pytest.param(b'{"name":"a\\ud800b"}', {"name": "a\ufffdb"}, id="lone high surrogate"),
        pytest.param(b'{"name":"\\udfff"}', {"name": "\ufffd"}, id="lone low surrogate"),
        pytest.param(b'{"name":"\\ud83d\\ude00"}', {"name": "😀"}, id="a pair is a character"),
        pytest.param(b'{"\\u0000":1}', {"\ufffd": 1}, id="NUL in a key"),
        pytest.param(nested(MAX_DEPTH), json.loads(nested(MAX_DEPTH)), id="64 lists"),
        pytest.param(b"[" + b"[]," * 200 + b"[]]", [[] for _ in range(201)], id="wide is not deep"),
    ],
)
def test_is_read(text: bytes, value: object) -> None:
    assert parse_json(text) == value


@given(JSON)
def test_what_json_can_say_comes_back_unless_postgres_cannot_hold_it(value: object) -> None:
    read = parse_json(json.dumps(value).encode())
    assert "\x00" not in json.dumps(read, ensure_ascii=False)
    if "\\u0000" not in json.dumps(value) and "\\ud" not in json.dumps(value):
        assert read == value


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_reject(text: bytes) -> None:
    with suppress(Reject):
        parse_json(text)


def test_the_tolerant_parser_reads_numbers_as_the_fast_one_does() -> None:
    figures = b"9999999999999999999999, 18446744073709551615, -9223372036854775808, 1.5"
    for figure in figures.split(b", "):
        assert parse_json(b'["\\ud800",' + figure + b"]")[1] == parse_json(b"[" + figure + b"]")[0]
    for figure in (b"1e999", b"-1e999", b"9" * 5000):
        with pytest.raises(Reject, match="not_json"):
            parse_json(b'["\\ud800",' + figure + b"]")
