"""Who may look into the simulated world, and what a query may say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from libs.simulator.tests.support.world import KEY, running_world

ADDRESSES: Final = [
    ("GET", "/ledger"),
    ("GET", "/ledger/summary"),
    ("GET", "/control"),
    ("PATCH", "/control"),
    ("POST", "/control/quiet"),
    ("GET", "/control/platform"),
    ("PATCH", "/control/app"),
    ("PATCH", "/control/tokens/1001"),
    ("PATCH", "/control/templates/spring_sale"),
    ("POST", "/control/accounts/9001/tell/messages"),
    ("GET", "/customers"),
    ("POST", "/customers/393331234567/messages"),
    ("GET", "/nothing"),
]
PROXIED: Final = {"X-Forwarded-For": "203.0.113.9"}


@pytest.mark.parametrize(
    "headers",
    [
        PROXIED,
        {"Origin": "http://evil.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "10.0.0.1"},
        PROXIED | {"Authorization": "Bearer unknown-key-0123"},
    ],
    ids=["proxy", "page of another origin", "another site", "another address", "unknown key"],
)
async def test_nobody_from_elsewhere_sees_or_changes_the_world(
    tmp_path: Path, headers: Mapping[str, str]
) -> None:
    async with running_world(tmp_path) as running:
        for method, path in ADDRESSES:
            assert (await running.client.request(method, path, headers=headers)).status_code == 401
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await running.client.get(path, headers=headers)).is_success


async def test_another_name_is_not_answered_at_all(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        for method, path in (*ADDRESSES, ("GET", "/livez")):
            answer = await running.client.request(method, path, headers={"Host": "evil.test"})
            assert answer.status_code == 421


async def test_a_key_of_the_business_file_opens_it(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        headers = PROXIED | {"Authorization": f"Bearer {KEY}"}
        assert (await running.client.get("/customers", headers=headers)).is_success


@pytest.mark.parametrize("value", ["-1", "+1", "1_0", "٣", "9" * 5000, "1e3", "", " 1"])
@pytest.mark.parametrize("name", ["after", "limit"])
async def test_what_is_no_plain_number_is_a_bad_query(tmp_path: Path, name: str, value: str) -> None:
    async with running_world(tmp_path) as running:
        assert (await running.client.get("/ledger", params={name: value})).status_code == 400


async def test_phone_of_other_digits_and_a_body_without_an_end_are_refused(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        answer = await running.client.post("/customers/٣٩٣٣٣١٢٣٤٥٦٧/messages", json={"text": "hi"})
        assert answer.status_code == 404
        answer = await running.client.patch("/control", content=b" " * 300_000)
        assert answer.status_code == 400
