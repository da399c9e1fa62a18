"""The business file is read whole or refused with the field at fault."""

from hashlib import sha256
from pathlib import Path

import pytest

from garbo.common.business import load_business
from garbo.common.errors import StartRefused

GOOD = f"""
brands: [{{id: acme, care_number: "1", promo_number: "1"}}]
numbers: [{{id: "1", display: "+39 02 1", waba: "2", brand: acme, token: t}}]
templates: [{{name: sale, language: it, category: MARKETING}}]
clients: [{{id: shop, keys_sha256: [{sha256(b"key").hexdigest()}], brands: [acme], purposes: [promo]}}]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "business.yaml"
    path.write_text(text)
    return path


def test_finds_clients_by_key_and_numbers_by_id(tmp_path: Path) -> None:
    business = load_business(write(tmp_path, GOOD))
    client = business.client_of_key("key")
    assert client is not None
    assert client.id == "shop"
    assert business.client_of_key("other") is None
    number = business.number("1")
    assert number is not None
    assert number.access_token() == "t"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(
            "brand: acme, token", "brand: other, token", "number 1 names a brand", id="unknown brand"
        ),
        pytest.param(
            'care_number: "1"', 'care_number: "9"', "names a number that is not listed", id="number"
        ),
        pytest.param("purposes: [promo]", "purposes: [spam]", "clients.0.purposes.0", id="unknown purpose"),
        pytest.param("category: MARKETING", "categroy: MARKETING", "templates.0", id="misspelt"),
        pytest.param("id: shop", "id: garbo", "client garbo is the router itself", id="the router's name"),
        pytest.param(
            "brand: acme, token",
            "brand: acme, portfolio: p, token",
            "portfolio that is not listed: p",
            id="portfolio",
        ),
        pytest.param("brands: [{", "brands: [{{", "is not YAML", id="no YAML"),
    ],
)
def test_is_refused_with_the_field_at_fault(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(StartRefused) as refused:
        load_business(write(tmp_path, GOOD.replace(old, new, 1)))
    assert told in str(refused.value)


def test_the_numbers_of_an_account_are_of_one_portfolio(tmp_path: Path) -> None:
    other = 'portfolio: p, id: "2", display: "+2", waba: "2", brand: acme, token: t'
    listed = GOOD.replace(
        "token: t}]", f"token: t}}, {{{other}}}]\nportfolios: [{{id: p, people_per_day: 250}}]"
    )
    mixed, whole = listed, listed.replace("brand: acme, token", "brand: acme, portfolio: p, token", 1)
    assert load_business(write(tmp_path, whole)).portfolios[0].people_per_day == 250
    with pytest.raises(StartRefused, match="the numbers of account 2 must name the same portfolio"):
        load_business(write(tmp_path, mixed))


@pytest.mark.parametrize(
    "host", ["https://a.example", "*.a.example", "A.example", "10.0.0.1", "localhost", "a.example:8443"]
)
def test_files_are_fetched_from_hosts_by_their_full_name_alone(tmp_path: Path, host: str) -> None:
    good = load_business(write(tmp_path, f"{GOOD}media: {{fetch_from: [cdn.a-b.example]}}\n"))
    assert good.media.fetch_from == ("cdn.a-b.example",)
    with pytest.raises(StartRefused, match=r"media\.fetch_from\.0"):
        load_business(write(tmp_path, f'{GOOD}media: {{fetch_from: ["{host}"]}}\n'))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="GARBO_CONFIG cannot be read"):
        load_business(tmp_path / "none.yaml")
