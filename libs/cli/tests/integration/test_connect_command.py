"""`garbo connect` and `garbo doctor --live` as typed: output, exit code, the file, no token shown."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from garbo.common.business import load_business
from libs.cli.tests.support.platform import VERIFY, Platform, running_platform
from libs.simulator.tests.support.world import NUMBER, SECRET, SLOW

pytestmark = pytest.mark.integration

BUSINESS = f"""# ours
brands:
  - {{ id: acme, care_number: "{SLOW.id}", promo_number: "{SLOW.id}" }}
numbers:
  - {{ id: "{SLOW.id}", display: "+39 02 8765 4321", waba: "{SLOW.waba}", brand: acme, token: {SLOW.token} }}
clients: [] # nobody yet
"""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person has, and where they type."""

    platform: Platform
    home: Path

    @property
    def business(self) -> Path:
        """The business file."""
        return self.home / "business.yaml"

    def __call__(self, *words: str, stdin: str = "", **env: str) -> tuple[int, str]:
        """Type a command; give its exit code and all it says."""
        told = {k: v for k, v in os.environ.items() if not k.startswith(("GARBO_", "FORCE_COLOR"))}
        told |= {"GARBO_GRAPH_URL": self.platform.running.url, "GARBO_CONFIG": str(self.business), **env}
        done = subprocess.run(
            [sys.executable, "-m", "garbo.cli", *words],
            env=told,
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        assert NUMBER.token not in said
        assert SECRET not in said
        return done.returncode, said


SECRETS = ("--app-secret-file", "secret", "--verify-token-file", "verify")


@pytest.fixture
async def typed(tmp_path: Path) -> AsyncIterator[Typed]:
    for name, content in (("token", NUMBER.token), ("secret", SECRET), ("verify", VERIFY)):
        (tmp_path / name).write_text(f"{content}\n")
    (tmp_path / "business.yaml").write_text(BUSINESS)
    async with running_platform(tmp_path) as platform:
        yield Typed(platform, tmp_path)


async def asked(typed: Typed, *words: str, stdin: str = "", **env: str) -> tuple[int, str]:
    """Type it in a thread: the platform runs in this one."""
    return await asyncio.to_thread(typed, *words, stdin=stdin, **env)


async def test_number_that_is_ready_is_written_into_the_file(typed: Typed) -> None:
    code, said = await asked(typed, "connect", "token", NUMBER.id, *SECRETS, "--business", "business.yaml")
    assert code == 0, said
    assert "✓ token      system user, app 1093021540000001, both scopes, never expires" in said
    assert f"business.yaml has number {NUMBER.id} of brand acme, 80 messages/s" in said
    number = load_business(typed.business).number(NUMBER.id)
    assert number is not None
    assert (number.waba, number.brand, number.display) == (NUMBER.waba, "acme", NUMBER.display)
    assert number.marketing_messages, "its account is onboarded"
    assert number.access_token() == NUMBER.token
    assert typed.business.read_text().startswith("# ours\n")
    assert "clients: [] # nobody yet" in typed.business.read_text()
    assert NUMBER.token not in typed.business.read_text()


async def test_file_is_left_where_something_is_wrong_unless_told(typed: Typed) -> None:
    await typed.platform.turn(f"numbers/{NUMBER.id}", status="DISCONNECTED")
    words = ("connect", "token", NUMBER.id, *SECRETS, "--business", "business.yaml")
    code, said = await asked(typed, *words)
    assert code == 1
    assert "✗ number     +39 02 1234 5678 is disconnected" in said
    assert "→ register it" in said
    assert "is left as it was: mend what is wrong, or say --anyway" in said
    assert typed.business.read_text() == BUSINESS
    code, said = await asked(typed, *words, "--anyway")
    assert code == 1, "it is still not ready"
    assert load_business(typed.business).number(NUMBER.id) is not None


@pytest.mark.parametrize("source", ["-", "env:META_TOKEN"])
async def test_token_from_elsewhere_gets_a_file_nobody_else_reads(typed: Typed, source: str) -> None:
    code, said = await asked(
        typed,
        *("connect", source, NUMBER.id, *SECRETS, "--business", "new.yaml", "--brand", "shop"),
        stdin=f"{NUMBER.token}\n",
        META_TOKEN=NUMBER.token,
    )
    assert code == 0, said
    number = load_business(typed.home / "new.yaml").number(NUMBER.id)
    assert number is not None
    assert number.brand == "shop"
    assert number.token_file == typed.home / "tokens" / NUMBER.id
    assert number.token_file.stat().st_mode & 0o777 == 0o600
    assert number.access_token() == NUMBER.token


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nothing", NUMBER.id), "the token's file cannot be read: No such file or directory"),
        (("env:NOT_SET", NUMBER.id), "the variable NOT_SET holds no token"),
        (("business.yaml", NUMBER.id), "business.yaml holds no token: it must be one word"),
        (("token", "+39 02 1"), "is no number id"),
    ],
    ids=["no file", "not set", "no token in it", "no id"],
)
async def test_what_is_typed_wrong_is_one_line(typed: Typed, words: tuple[str, ...], why: str) -> None:
    code, said = await asked(typed, "connect", *words)
    assert code == 1
    assert why in said
    assert len(said.splitlines()) == 1


async def test_doctor_live_looks_at_every_number_of_the_business_file(typed: Typed) -> None:
    secrets = {"GARBO_WHATSAPP_APP_SECRETS": SECRET, "GARBO_WHATSAPP_VERIFY_TOKEN": VERIFY}
    await asked(typed, "connect", "token", NUMBER.id, "--business", "business.yaml", **secrets)
    code, said = await asked(typed, "doctor", "--live", **secrets)
    assert code == 0, said
    assert [line for line in said.splitlines() if line.startswith("number")] == [
        f"number {SLOW.id}, brand acme, at {typed.platform.running.url}",
        f"number {NUMBER.id}, brand acme, at {typed.platform.running.url}",
    ]
    await typed.platform.turn(f"tokens/{NUMBER.id}", valid=False)
    other = typed.business.read_text().replace(f'waba: "{SLOW.waba}", brand', 'waba: "77", brand')
    typed.business.write_text(other)
    code, said = await asked(typed, "doctor", "--live", **secrets)
    assert code == 1
    assert "✗ token      not valid" in said
    assert f"✗ file       the business file says 77, the platform {SLOW.waba}" in said
