"""A number's entry in the business file: everything around it stays as it was, or nothing is written."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from garbo.cli.connect.entry import Entry, new_file, with_entry, write
from garbo.common.business import load_business
from garbo.common.errors import StartRefused

DEMO = Path(__file__).parents[4] / "deploy/local/business.yaml"
ENTRY = Entry(
    id="555", display="+39 02 1", waba="9001", brand="acme", token_file="/run/secrets/token", rate_per_s=80
)
ADDED = """
  - id: "555"
    display: "+39 02 1"
    waba: "9001"
    brand: acme
    token_file: /run/secrets/token
    rate_per_s: 80
"""
HEAD = 'brands:\n  - { id: acme, care_number: "1", promo_number: "1" }\n'


def test_new_entry_stands_behind_the_others_and_every_other_line_stays() -> None:
    before = DEMO.read_text()
    after = with_entry(before, ENTRY)
    assert after.count(ADDED.lstrip("\n")) == 1
    assert after.replace(ADDED.lstrip("\n"), "") == before
    numbers = yaml.safe_load(after)["numbers"]
    assert [one["id"] for one in numbers][-1] == "555"


def test_number_of_an_onboarded_account_says_so_once() -> None:
    onboarded = replace(ENTRY, marketing_messages=True)
    after = with_entry(DEMO.read_text(), onboarded)
    assert after.count("    marketing_messages: true\n") == 1
    assert with_entry(after, onboarded) == after


def test_known_entry_is_changed_in_place_and_its_comments_stay() -> None:
    before = HEAD + (
        "numbers: # all of them\n"
        '  - id: "555" # the shop\n'
        '    display: "+39 02 0" # as people see it\n'
        '    waba: "9001"\n'
        "    brand: acme\n"
        "    token: secret-token\n"
        "    rate_per_s: 20 # while it is in the app\n"
        "\n# behind\nclients: []\n"
    )
    after = with_entry(before, replace(ENTRY, rate_per_s=1000))
    assert "secret-token" not in after
    assert '    display: "+39 02 1" # as people see it\n' in after
    assert "    rate_per_s: 1000 # while it is in the app\n    token_file: /run/secrets/token\n" in after
    assert "\n\n# behind\nclients: []\n" in after
    assert with_entry(after, replace(ENTRY, rate_per_s=1000)) == after, "again nothing changes"


@pytest.mark.parametrize(
    "numbers",
    [
        "numbers: []",
        'numbers: [{ id: "1", display: d, waba: w, brand: acme, token: t }]',
        'numbers:\n- id: "1"\n  display: d\n  waba: w\n  brand: acme\n  token: t # x',
        'numbers:\n  - { id: "555", display: d, waba: w, brand: acme, token: t }',
        'numbers:\n  - { token: t, id: "555", display: d, waba: w, brand: acme }',
        'numbers:\n  - display: |\n      a\n      b\n    id: "1"\n    waba: w\n    brand: acme',
    ],
    ids=["none yet", "in one line", "without indent", "one in braces", "token first", "a text of lines"],
)
@pytest.mark.parametrize("behind", ["\nclients: []\n", "\n\n# the end", ""])
def test_however_the_numbers_are_written_the_entry_is_what_was_meant(numbers: str, behind: str) -> None:
    text = HEAD + numbers + behind
    listed = yaml.safe_load(with_entry(text, ENTRY))["numbers"]
    (mine,) = [one for one in listed if one["id"] == "555"]
    assert mine == ENTRY.fields()
    before = [one for one in yaml.safe_load(text)["numbers"] if one["id"] != "555"]
    assert [one for one in listed if one["id"] != "555"] == before


@pytest.mark.parametrize(
    "text",
    ["brands: []\n", "numbers: nonsense\n", "- a list\n", 'a: &n [{ id: "555" }]\nnumbers: *n\n'],
    ids=["no numbers", "no list", "no mapping", "an anchor"],
)
def test_file_that_is_not_safe_to_edit_is_left_and_the_entry_shown(text: str) -> None:
    with pytest.raises(StartRefused, match="not safe to edit") as refused:
        with_entry(text, ENTRY)
    assert "token_file: /run/secrets/token" in str(refused.value)


def test_new_file_is_one_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "business.yaml"
    write(path, with_entry(new_file("main", "555"), replace(ENTRY, brand="main")))
    business = load_business(path)
    assert business.number("555") is not None
    assert [brand.id for brand in business.brands] == ["main"]
    assert path.stat().st_mode & 0o077 == 0o040


def test_file_that_would_be_bad_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "business.yaml"
    path.write_text(DEMO.read_text())
    path.chmod(0o600)
    with pytest.raises(StartRefused, match="brand that is not listed: nobody") as refused:
        write(path, with_entry(DEMO.read_text(), replace(ENTRY, brand="nobody")))
    assert str(path) in str(refused.value)
    assert path.read_text() == DEMO.read_text()
    assert list(tmp_path.iterdir()) == [path]
    write(path, with_entry(DEMO.read_text(), ENTRY))
    assert path.stat().st_mode & 0o777 == 0o600
