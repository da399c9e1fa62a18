"""Whether bytes are of their type, why a file is not kept, and when it is tried again."""

from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest

from garbo.common.business import KeptFiles
from garbo.common.events.received_files import FileType
from garbo.sender.domain.file_types import HEAD_BYTES, agrees
from garbo.sender.domain.incoming_files import (
    ID_LIVES,
    ClaimedFile,
    GoneFile,
    LaterFile,
    RefusedFile,
    WantedFile,
    after_failure,
    refusal_of,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
KEPT = KeptFiles(keep_incoming=True, most_bytes=10, types=("image/jpeg",))
HEADS = {
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "image/webp": b"RIFF\x1a\0\0\0WEBPVP8L",
    "video/mp4": b"\0\0\0\x18ftypmp42",
    "video/3gpp": b"\0\0\0\x18ftyp3gp5",
    "audio/aac": b"\xff\xf1P\x80",
    "audio/amr": b"#!AMR\n",
    "audio/mpeg": b"\xff\xfb\x90\0",
    "audio/mp4": b"\0\0\0\x18ftypM4A ",
    "audio/ogg": b"OggS\0\x02",
    "audio/opus": b"OggS\0\x02",
    "application/pdf": b"%PDF-1.7\n",
    "text/plain": "Grüße, 你好\n".encode(),
    "text/csv": b"a;b\r\n1;2\r\n",
    "application/msword": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "application/vnd.ms-excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "application/vnd.ms-powerpoint": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    WORD: b"PK\x03\x04\x14\0",
    WORD.replace("wordprocessingml.document", "spreadsheetml.sheet"): b"PK\x03\x04\x14\0",
    WORD.replace("wordprocessingml.document", "presentationml.presentation"): b"PK\x03\x04\x14\0",
}
PROGRAMS = {
    "windows": b"MZ\x90\0\x03\0\0\0",
    "linux": b"\x7fELF\x02\x01\x01\0",
    "page": b"<!DOCTYPE html><script>",
    "script": b"#!/bin/sh\n",
    "nothing": b"",
    "zeros": bytes(64),
}
TEXT = {"text/plain", "text/csv"}


def test_every_type_that_may_be_kept_can_be_told() -> None:
    assert HEADS.keys() == set(get_args(FileType))
    for mime_type, head in HEADS.items():
        assert agrees(mime_type, head + bytes(10) * (mime_type not in TEXT)), mime_type


@pytest.mark.parametrize("mime_type", sorted(HEADS.keys() - TEXT))
@pytest.mark.parametrize("content", PROGRAMS.values(), ids=PROGRAMS)
def test_what_is_something_else_does_not_agree(mime_type: str, content: bytes) -> None:
    assert not agrees(mime_type, content)


@pytest.mark.parametrize("content", [PROGRAMS["windows"], PROGRAMS["linux"], PROGRAMS["zeros"]])
def test_text_holds_no_controls(content: bytes) -> None:
    assert not agrees("text/plain", content)


@pytest.mark.parametrize(
    ("mime_type", "head", "expected"),
    [
        ("audio/mpeg", b"ID3\x04\0", True),
        ("audio/mpeg", b"\xff\xf1P\x80", False),
        ("audio/mpeg", b"\xff", False),
        ("audio/aac", b"\0\0\0\x18ftypM4A ", True),
        ("application/pdf", b"\n" * (HEAD_BYTES - 5) + b"%PDF-", True),
        ("application/pdf", b"\n" * HEAD_BYTES + b"%PDF-", False),
        ("image/webp", b"RIFF\x1a\0\0\0WAVEfmt ", False),
        ("text/plain", "\ufeffé".encode("utf-16-le"), True),
        ("text/plain", b"", True),
        ("image/jpeg", HEADS["image/png"], False),
        ("image/svg+xml", b"<svg>", False),
        ("application/octet-stream", b"x", False),
    ],
)
def test_signatures_are_the_formats_own(mime_type: str, head: bytes, expected: bool) -> None:
    assert agrees(mime_type, head) is expected


@pytest.mark.parametrize(
    ("rules", "mime_type", "size_bytes", "why"),
    [
        pytest.param(None, "image/jpeg", 1, "not_kept", id="no such brand any more"),
        pytest.param(KeptFiles(), "image/jpeg", 1, "not_kept", id="not said"),
        pytest.param(KEPT, "image/jpeg", None, None, id="kept"),
        pytest.param(KEPT, "image/svg+xml", 1, "type_not_kept", id="unknown type"),
        pytest.param(KEPT, "image/png", 1, "type_not_kept", id="another type"),
        pytest.param(KEPT, "image/jpeg", 10, None, id="just"),
        pytest.param(KEPT, "image/jpeg", 11, "too_large", id="large"),
    ],
)  # fmt: skip
def test_what_is_declared_may_speak_against_a_file(
    rules: KeptFiles | None, mime_type: str, size_bytes: int | None, why: str | None
) -> None:
    assert refusal_of(rules, mime_type, size_bytes) == why


def claimed(tries: int, *, age: timedelta = timedelta(0), brand: str = "acme") -> ClaimedFile:
    file = WantedFile("ab" * 16, UUID(int=1), brand, "1001", "77", "image", "image/png", None, NOW - age)
    return ClaimedFile(file, tries, UUID(int=2), NOW - age + ID_LIVES)


def test_a_key_is_ours_and_the_same_at_each_try() -> None:
    assert claimed(1).file.key == claimed(5).file.key == f"acme/1001/2026/11/29/ab/{'ab' * 16}"
    assert claimed(1, brand="acme:it").file.key.startswith("acme_it/1001/")


@pytest.mark.parametrize(
    ("tries", "why", "expected"),
    [
        (1, "unreachable", LaterFile("unreachable", 5.0)),
        (2, "code_190", LaterFile("code_190", 30.0)),
        (90, "code_190", LaterFile("code_190", 7200.0)),
        (2, "forgotten", LaterFile("forgotten", 30.0)),
        (3, "forgotten", GoneFile("forgotten")),
        (2, "wrong_hash", LaterFile("wrong_hash", 30.0)),
        (3, "wrong_hash", RefusedFile("wrong_hash")),
        (3, "not_its_type", RefusedFile("not_its_type")),
    ],
)
def test_what_failed_is_tried_again_later_and_later(tries: int, why: str, expected: object) -> None:
    assert after_failure(claimed(tries), why, now=NOW) == expected


def test_who_asks_us_to_wait_is_given_the_time() -> None:
    assert after_failure(claimed(1), "http_429", now=NOW, after_s=600.0) == LaterFile("http_429", 600.0)
    assert after_failure(claimed(5), "http_429", now=NOW, after_s=1.0) == LaterFile("http_429", 1800.0)


def test_after_seven_days_nothing_more_is_tried() -> None:
    late = timedelta(days=6, hours=23, minutes=59)
    assert after_failure(claimed(1, age=late), "code_190", now=NOW) == LaterFile("code_190", 5.0)
    assert after_failure(claimed(90, age=late), "code_190", now=NOW) == GoneFile("code_190")
