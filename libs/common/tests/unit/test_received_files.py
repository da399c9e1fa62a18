"""What a message says of its file is read as far as it is good; nothing of it leads anywhere else."""

import base64
import hashlib
from typing import Any

import pytest

from garbo.common.events.received_files import ReceivedFile, bare_type, hash_of

DIGEST = hashlib.sha256(b"a picture").digest()
IMAGE = {"id": "1013859600285441", "mime_type": "image/jpeg", "sha256": base64.b64encode(DIGEST).decode()}


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        pytest.param("image", {"caption": "look"}, ("image", False), id="image"),
        pytest.param("audio", {"voice": True}, ("audio", True), id="voice note"),
        pytest.param("voice", {}, ("audio", True), id="voice note, as it was called"),
        pytest.param("audio", {"voice": "yes"}, ("audio", False), id="not said as it should be"),
        pytest.param("document", {"filename": "../../etc/passwd"}, ("document", False), id="document"),
        pytest.param("sticker", {"animated": True}, ("sticker", False), id="sticker"),
    ],
)
def test_a_file_is_read(kind: str, more: dict[str, Any], expected: tuple[str, bool]) -> None:
    file = ReceivedFile.of_message(kind, {"type": kind, kind: IMAGE | more})
    assert file is not None
    assert (file.kind, file.voice) == expected
    assert (file.media_id, file.mime_type, file.sha256) == (IMAGE["id"], "image/jpeg", DIGEST.hex())
    assert "passwd" not in file.model_dump_json()


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        pytest.param("text", {"text": {"body": "hi"}, "image": IMAGE}, id="another kind"),
        pytest.param("image", {}, id="nothing"),
        pytest.param("image", {"image": None}, id="null"),
        pytest.param("image", {"image": [IMAGE]}, id="a list"),
        pytest.param("image", {"image": {"id": 77}}, id="a number"),
        pytest.param("image", {"image": {"id": ""}}, id="empty"),
        pytest.param("image", {"image": {"id": "../1002/messages"}}, id="a path"),
        pytest.param("image", {"image": {"id": "77?fields=x"}}, id="a query"),
        pytest.param("image", {"image": {"id": "77\n"}}, id="a line end"),
        pytest.param("image", {"image": {"id": "7" * 129}}, id="too long"),
        pytest.param("button", {"button": {"id": "77"}}, id="a button"),
        pytest.param("template", {"template": {"id": "77"}}, id="a template"),
    ],
)
def test_what_is_no_file_is_none(kind: str, raw: dict[str, Any]) -> None:
    assert ReceivedFile.of_message(kind, raw) is None


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("image/jpeg", "image/jpeg"),
        ("audio/ogg; codecs=opus", "audio/ogg"),
        (" Image/PNG ", "image/png"),
        ("image", None),
        ("image/", None),
        ("image/jpeg\n", "image/jpeg"),
        ("image/jp eg", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_type_is_read_without_its_parameters(said: object, read: str | None) -> None:
    assert bare_type(said) == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        pytest.param(base64.b64encode(DIGEST).decode(), DIGEST.hex(), id="base64"),
        pytest.param(DIGEST.hex(), DIGEST.hex(), id="hex"),
        pytest.param(DIGEST.hex().upper(), DIGEST.hex(), id="large hex"),
        pytest.param(base64.b64encode(DIGEST[:31]).decode(), None, id="too short"),
        pytest.param("x", None, id="no base64"),
        pytest.param("é" * 44, None, id="no ASCII"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_hash_is_read_as_webhooks_and_the_api_write_it(said: object, read: str | None) -> None:
    assert hash_of(said) == read
