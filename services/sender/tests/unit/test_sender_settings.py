"""Where files lie: what is taken, and what is refused with the mend."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from garbo.common.business import Brand, Business, KeptFiles, Number
from garbo.common.errors import StartRefused
from garbo.common.runtime.published import WithTokens
from garbo.common.runtime.settings import load
from garbo.sender.app.media import platform_hosts, store_of, with_room_for_files
from garbo.sender.outbound.folder_store import FolderStore
from garbo.sender.outbound.s3_store import S3Store
from garbo.sender.settings import SenderSettings

NEEDED = {
    "GARBO_CONFIG": "business.yaml",
    "GARBO_POSTGRES_DSN": "postgresql://localhost/garbo",
    "GARBO_GRAPH_URL": "http://127.0.0.1:8090",
}


def settings_with(**media: str) -> SenderSettings:
    return load(
        SenderSettings, NEEDED | {f"GARBO_MEDIA_{name.upper()}": value for name, value in media.items()}
    )


def test_without_a_store_no_files_are_kept() -> None:
    assert store_of(settings_with()) is None


def test_folder_and_bucket_are_told_by_the_address(tmp_path: Path) -> None:
    assert isinstance(store_of(settings_with(store=f"file://{tmp_path}")), FolderStore)
    assert isinstance(store_of(settings_with(store="s3://garbo-media/of/ours")), S3Store)


LIVE = NEEDED | {"GARBO_GRAPH_URL": "https://graph.facebook.com", "GARBO_MEDIA_HOSTS": "files.example.com"}


@pytest.mark.parametrize(
    ("environ", "url", "is_allowed"),
    [
        pytest.param(LIVE, "https://lookaside.fbsbx.com/attachments/?mid=1", True, id="Meta's"),
        pytest.param(LIVE, "https://graph.facebook.com/v25.0/1", True, id="graph"),
        pytest.param(LIVE, "https://files.example.com/1", True, id="further"),
        pytest.param(LIVE, "https://evil.example.com/1", False, id="another"),
        pytest.param(LIVE, "https://lookaside.fbsbx.com.example.com/1", False, id="looks alike"),
        pytest.param(LIVE, "http://lookaside.fbsbx.com/1", False, id="without TLS"),
        pytest.param(LIVE, "http://127.0.0.1:8090/1", False, id="the simulator, where people are reached"),
        pytest.param(NEEDED, "http://127.0.0.1:8090/1", True, id="the simulator"),
        pytest.param(NEEDED, "http://127.0.0.1:8091/1", False, id="another port"),
    ],
)  # fmt: skip
def test_a_token_goes_to_the_platform_s_hosts_alone(
    environ: dict[str, str], url: str, is_allowed: bool
) -> None:
    assert (url in platform_hosts(load(SenderSettings, environ))) is is_allowed


@pytest.mark.parametrize("keeps", [True, False])
def test_who_keeps_files_needs_a_place_for_them(keeps: bool, tmp_path: Path) -> None:
    brand = Brand(id="acme", care_number="1", promo_number="1", media=KeptFiles(keep_incoming=keeps))
    number = Number(id="1", display="1", waba="1", brand="acme", token=SecretStr("x"))
    read = WithTokens(Business(brands=(brand,), numbers=(number,), clients=()), {})
    assert with_room_for_files(read, settings_with(store=tmp_path.as_uri())) is read
    if keeps:
        with pytest.raises(StartRefused, match=r"GARBO_MEDIA_STORE is not set, and brand acme keeps"):
            with_room_for_files(read, settings_with())
    else:
        assert with_room_for_files(read, settings_with()) is read


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "d'été, 50 %" / "my files"
    store = store_of(settings_with(store=folder.as_uri()))
    assert isinstance(store, FolderStore)
    assert store._root == folder


@pytest.mark.parametrize(
    "place",
    ["/var/lib/media", "file://host/folder", "file:///", "file:", "s3://", "s3:///prefix", "s3://B_cket", "s3://k:s@bucket",
     "https://bucket.example", "s3://bucket/a//b", "s3://bucket/a b", "file:///a?b", "file:///a b", ""],
)  # fmt: skip
def test_a_place_that_is_none_is_refused_without_being_told(place: str) -> None:
    with pytest.raises(StartRefused) as refused:
        settings_with(store=place)
    said = "GARBO_MEDIA_STORE is wrong: Value error, should be file:///folder or s3://bucket/prefix."
    assert str(refused.value) == said


@pytest.mark.parametrize(
    "endpoint", ["s3.example", "https://user:pass@s3.example", "https://s3.example/path"]
)
def test_an_endpoint_that_is_none_is_refused_without_being_told(endpoint: str) -> None:
    with pytest.raises(StartRefused, match=r"^GARBO_MEDIA_S3_ENDPOINT is wrong: .*https://host:port\.$"):
        settings_with(s3_endpoint=endpoint)


def test_half_a_pair_of_keys_is_refused() -> None:
    with pytest.raises(StartRefused, match="set both or none"):
        settings_with(s3_access_key="AKIAEXAMPLE")
