"""A changed policy file is in force without a restart; a bad one changes nothing, and says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from garbo.common.errors import RetryLater, StartRefused
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.inbound.policy_file.load import read_policy
from garbo.router.inbound.policy_file.watch import PolicyWatch
from services.router.tests.support.memory_policies import InMemoryPolicies, RememberingPolicyMeter

FIRST = "policy: first\nversion: 1\nclasses: [{ id: promo }]\nrules: []\n"
SECOND = FIRST.replace("first", "second")
BAD = FIRST + "  colour: red\n"
FAILING = (
    FIRST
    + """tests:
  - name: wrong
    at: 2026-06-05T10:00:00Z
    ask: { purpose: promo, template: marketing }
    expect: { verdict: deny }
"""
)


class Watched:
    """A watch, its file and everything around it."""

    def __init__(self, file: Path) -> None:
        self.file, self.policies = file, PolicyInForce()
        self.archive, self.meter = InMemoryPolicies(), RememberingPolicyMeter()
        self.watch = PolicyWatch(file, policies=self.policies, archive=self.archive, meter=self.meter)

    async def settle(self) -> None:
        """Look as often as a change needs: once to see it, once to see that it stood still."""
        await self.watch.look()
        await self.watch.look()

    @property
    def name(self) -> str:
        return self.policies.current.name


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    file = tmp_path / "policy.yaml"
    file.write_text(FIRST)
    watched = Watched(file)
    yield watched
    await watched.watch.stop()


async def test_the_file_is_in_force_and_stored_from_the_start(watched: Watched) -> None:
    await watched.watch.start()
    assert watched.name == "first"
    assert list(watched.archive.kept.values()) == [FIRST]
    assert watched.meter.shown == ("first", watched.policies.current.version)
    assert watched.meter.refused is False


async def test_a_changed_file_comes_into_force_and_is_stored(watched: Watched) -> None:
    await watched.watch.start()
    watched.file.write_text(SECOND)
    await watched.settle()
    assert watched.name == "second"
    assert list(watched.archive.kept.values()) == [FIRST, SECOND]


async def test_a_file_renamed_over_it_and_a_link_moved_are_seen(tmp_path: Path) -> None:
    for name, content in (("one", FIRST), ("two", SECOND)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text(content)
    (tmp_path / "data").symlink_to("one")  # as Kubernetes mounts a ConfigMap
    watched = Watched(tmp_path / "data" / "policy.yaml")
    await watched.watch.start()
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(tmp_path / "data")
    await watched.settle()
    assert watched.name == "second"
    (tmp_path / "new.yaml").write_text(FIRST)
    (tmp_path / "new.yaml").replace(tmp_path / "two" / "policy.yaml")
    await watched.settle()
    assert watched.name == "first"
    await watched.watch.stop()


async def test_a_file_still_being_written_is_left_alone(watched: Watched) -> None:
    await watched.watch.start()
    watched.file.write_text(SECOND)
    await watched.watch.look()
    watched.file.write_text(SECOND + "# more\n")
    await watched.watch.look()
    assert watched.name == "first"
    await watched.watch.look()
    assert watched.name == "second"


@pytest.mark.parametrize("content", [BAD, FAILING, "", "rules: ["])
async def test_a_bad_file_changes_nothing_and_shows(watched: Watched, content: str) -> None:
    await watched.watch.start()
    watched.file.write_text(content)
    await watched.settle()
    assert watched.name == "first"
    assert watched.meter.refused is True
    assert list(watched.archive.kept.values()) == [FIRST]
    watched.file.write_text(SECOND)
    await watched.settle()
    assert watched.name == "second"
    assert watched.meter.refused is False


async def test_a_file_that_is_gone_changes_nothing(watched: Watched) -> None:
    await watched.watch.start()
    watched.file.unlink()
    await watched.settle()
    assert watched.name == "first"
    assert watched.meter.refused is True


async def test_a_bad_file_at_the_start_leaves_the_last_good_policy_in_force(watched: Watched) -> None:
    await watched.archive.keep(read_policy(FIRST.encode()).version, FIRST)
    watched.file.write_text(BAD)
    await watched.watch.start()
    assert watched.name == "first"
    assert watched.meter.refused is True
    watched.file.write_text(SECOND)
    await watched.settle()
    assert watched.name == "second"


@pytest.mark.parametrize("stored", [None, "policy: of an older release"])
async def test_a_bad_file_with_no_good_policy_before_stops_the_start(
    watched: Watched, stored: str | None
) -> None:
    if stored is not None:
        await watched.archive.keep("sha256:old", stored)
    watched.file.write_text(BAD)
    with pytest.raises(StartRefused, match=r"policy\.yaml:5: policy: "):
        await watched.watch.start()


async def test_a_change_that_cannot_be_stored_is_not_in_force_until_it_can(watched: Watched) -> None:
    await watched.watch.start()
    watched.file.write_text(SECOND)
    watched.archive.closed = True
    await watched.watch.look()
    for _ in range(2):
        with pytest.raises(RetryLater):
            await watched.watch.look()
    assert watched.name == "first"
    watched.archive.closed = False
    await watched.watch.look()
    assert watched.name == "second"


def test_asking_before_a_policy_is_in_force_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="no policy is in force yet"):
        _ = PolicyInForce().current
