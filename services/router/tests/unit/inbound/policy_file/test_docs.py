"""What docs/policy.md shows is read as it is shown."""

import re
from pathlib import Path

from garbo.router.domain.rules import registry
from garbo.router.inbound.policy_file.load import read_policy, read_policy_file
from garbo.router.inbound.policy_file.selectors import AppliesTo

PAGE = (Path(__file__).parents[6] / "docs" / "policy.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
RULES = "".join(block for block in BLOCKS if block.startswith("- "))
(WHOLE,) = (block for block in BLOCKS if block.startswith("policy: "))
(TESTS,) = (block for block in BLOCKS if block.startswith("tests:"))
KEYS = [field.alias or name for name, field in AppliesTo.model_fields.items()]


def test_the_rules_of_the_page_are_a_policy_that_passes_the_pages_test() -> None:
    classes = "classes: [{ id: promo }]"
    top = "policy: docs\nversion: 1\ntimezone: { default: Europe/Rome }\n"
    read = read_policy_file(f"{top}{classes}\nrules:\n{RULES}{TESTS}".encode())
    assert read.tests == 1
    assert read.warnings == ()


def test_every_rule_type_has_its_place_on_the_page() -> None:
    assert re.findall(r"^### (\w+): ", PAGE, flags=re.MULTILINE) == [
        kind.type for kind in registry.RULES if kind.in_files
    ]


def test_every_selector_key_is_named_on_the_page() -> None:
    assert not [key for key in KEYS if f"`{key}`" not in PAGE]


def test_the_rest_of_the_file_is_a_policy() -> None:
    assert read_policy(WHOLE.encode()).name == "acme-it"
