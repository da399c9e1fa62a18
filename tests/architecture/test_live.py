"""The demo cannot go live: whatever stands in the repository starts no service that reaches people."""

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from garbo.analytics.settings import AnalyticsSettings
from garbo.cli.up.environment import DEMO_KEYS
from garbo.common.business import load_business
from garbo.common.errors import StartRefused
from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.published import HASHES, access_tokens, is_published, read_business
from garbo.common.runtime.settings import load, variable_of
from garbo.ingest.settings import IngestSettings
from garbo.router.settings import RouterSettings
from garbo.sender.settings import SenderSettings

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DEMO: Final = ROOT / "deploy" / "local" / "business.yaml"
BUSINESS_FILES: Final = [*ROOT.glob("*/business.yaml"), *ROOT.glob("*/*/business.yaml")]
DEMO_SECRETS: Final = {
    p.name: p.read_text(encoding="utf-8").strip() for p in (ROOT / "deploy/compose/demo-secrets").iterdir()
}
SERVICES: Final[tuple[type[WithPlatform], ...]] = (
    IngestSettings,
    RouterSettings,
    SenderSettings,
    AnalyticsSettings,
)
LIVE: Final = (
    None,  # the sender's default, so everybody's
    "https://graph.facebook.com",
    "https://graph.facebook.com/",
    "https://simulator.example.com",
    "https://127.0.0.1.example.com",
    "https://10.0.0.7:8443",
)
OURS: Final = ("http://simulator:8080", "http://127.0.0.1:8090", "http://localhost:8090", "http://[::1]:8090")
GOOD: Final = {
    "GARBO_CONFIG": str(DEMO),
    "GARBO_POLICY": str(DEMO),
    "GARBO_POSTGRES_DSN": "postgresql://garbo_router:zw0-Lr7q_vTt3m@db/garbo",
    "GARBO_HASH_KEY": "5b0ef8c2d1a94a37b6f2c0de9a1387f4",
    "GARBO_WHATSAPP_APP_SECRETS": "1f0e9d8c7b6a59483726150413f2e1d0",
    "GARBO_WHATSAPP_VERIFY_TOKEN": "9c2f7be04d61",
}
KAFKA: Final = {
    "GARBO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "GARBO_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "GARBO_KAFKA_SASL_USERNAME": "router",
    "GARBO_KAFKA_SASL_PASSWORD": "zw0-Lr7q_vTt3m",
}


def _secret_variables(service: type[WithPlatform]) -> Iterator[str]:
    for field, info in service.model_fields.items():
        if "SecretStr" in str(info.annotation):
            yield variable_of(service, field)


CASES: Final = [
    pytest.param(service, variable, secret, url, id=f"{service.service}-{variable}-{secret}-{url}")
    for service in SERVICES
    for variable, secret, url in product(
        _secret_variables(service), sorted({*DEMO_SECRETS.values(), *DEMO_KEYS.values()}), LIVE
    )
]


def _told(url: str | None, **more: str) -> dict[str, str]:
    return GOOD | KAFKA | ({"GARBO_GRAPH_URL": url} if url else {}) | more


@pytest.mark.parametrize(("service", "variable", "secret", "url"), CASES)
def test_no_secret_of_the_repository_starts_a_service_that_reaches_people(
    service: type[WithPlatform], variable: str, secret: str, url: str | None
) -> None:
    with pytest.raises(StartRefused) as refused:
        load(service, _told(url, **{variable: secret}))
    assert str(refused.value).startswith(variable)
    assert "\n" not in str(refused.value)
    assert secret not in str(refused.value)


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.service)
@pytest.mark.parametrize("url", LIVE)
def test_secrets_of_ones_own_start_it(service: type[WithPlatform], url: str | None) -> None:
    assert load(service, _told(url)).live


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.service)
@pytest.mark.parametrize("url", OURS)
def test_the_demo_s_secrets_start_it_beside_the_simulator(service: type[WithPlatform], url: str) -> None:
    demo = {
        "GARBO_POSTGRES_DSN": "postgresql://garbo:demo-only-password@postgres:5432/garbo",
        "GARBO_HASH_KEY": DEMO_SECRETS["hash_key"],
        "GARBO_WHATSAPP_APP_SECRETS": DEMO_SECRETS["whatsapp_app_secrets"],
        "GARBO_WHATSAPP_VERIFY_TOKEN": DEMO_SECRETS["whatsapp_verify_token"],
    }
    assert not load(service, _told(url, **demo)).live


@pytest.mark.parametrize("path", BUSINESS_FILES, ids=lambda p: p.parent.name)
def test_no_business_file_of_the_repository_goes_live(path: Path) -> None:
    with pytest.raises(StartRefused, match=r"client \w+ has an API key that everybody knows"):
        read_business(path, live=True)
    with pytest.raises(StartRefused, match="token of number"):
        access_tokens(load_business(path), live=True)
    assert read_business(path, live=False) == load_business(path)


def test_a_published_token_in_a_file_of_its_own_is_found_as_well(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("demo-access-token\n")
    business = load_business(DEMO)
    number = business.numbers[0].model_copy(update={"token": None, "token_file": tmp_path / "token"})
    with pytest.raises(StartRefused, match="token of number"):
        access_tokens(business.model_copy(update={"numbers": (number,)}), live=True)


def test_every_secret_that_stands_in_the_repository_is_known_as_published() -> None:
    said = set(DEMO_KEYS.values()) | set(DEMO_SECRETS.values())
    for path in BUSINESS_FILES:
        business = load_business(path)
        said |= {number.access_token() for number in business.numbers}
        hashes = {key for client in business.clients for key in client.keys_sha256}
        assert hashes <= HASHES, path
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]:
        said |= set(re.findall(r"Bearer ([\w-]{8,})", page.read_text(encoding="utf-8")))
    assert {secret for secret in said if not is_published(secret)} == set()
    assert {sha256(key.encode()).hexdigest() for key in DEMO_KEYS.values()} <= HASHES


def test_compose_tells_every_service_where_the_platform_is() -> None:
    for service in SERVICES:
        told = COMPOSE["services"][service.service]["environment"]
        assert told["GARBO_GRAPH_URL"] == "${GARBO_GRAPH_URL:-http://simulator:8080}"


def test_services_read_the_business_file_through_the_door_that_looks() -> None:
    for path in ROOT.glob("services/*/src/**/*.py"):
        assert "load_business" not in path.read_text(encoding="utf-8"), path


def test_no_address_inside_is_fetched_from_where_people_are_reached() -> None:
    told = _told(None, GARBO_SENDER_FETCH_ORIGINS="http://10.0.0.7:8090")
    with pytest.raises(StartRefused, match="GARBO_SENDER_FETCH_ORIGINS"):
        load(SenderSettings, told)
    at_home = load(SenderSettings, told | {"GARBO_GRAPH_URL": OURS[0]})
    assert at_home.fetch_origins == ("http://10.0.0.7:8090",)
