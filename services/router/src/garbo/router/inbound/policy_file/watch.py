"""Keeps the policy in force in line with its file, without a restart; a bad file changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import structlog

from garbo.common.errors import RetryLater, StartRefused
from garbo.common.runtime.background import Background
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.inbound.policy_file.load import (
    PolicyFile,
    PolicyRefused,
    load_policy_file,
    read_policy_file,
)
from garbo.router.ports.policy_archive import PolicyArchive
from garbo.router.ports.telemetry import PolicyMeter

LOOK_EVERY_S: Final = 1.0
"""A change is in force after one to two looks: the file must have stood still for one."""
TRY_AGAIN_S: Final = 0.5
MOST_FAULTS: Final = 20

Answer = TypeVar("Answer")
log = structlog.get_logger()

Stamp: TypeAlias = tuple[int, int, int, int]
"""Device, inode, size, change: what differs when a file was written, renamed over, or its link was moved."""


class PolicyWatch:
    """A component that puts the file's policy in force at the start and whenever the file changes.

    A policy is stored before it is in force. Start it after the database and before anything that decides.
    """

    def __init__(
        self, path: Path, *, policies: PolicyInForce, archive: PolicyArchive, meter: PolicyMeter
    ) -> None:
        self._path, self._policies, self._archive, self._meter = path, policies, archive, meter
        self._looking = Background("watch policy", self._keep_looking)
        self._seen: Stamp | None = None
        """Of the file that was taken or refused."""
        self._last: Stamp | None = None
        """Of the file at the last look."""

    async def start(self) -> None:
        """Put the file's policy in force, or the last good one; raises `StartRefused` without either."""
        self._seen = self._last = _stamp(self._path)
        try:
            file = await asyncio.to_thread(load_policy_file, self._path)
            self._meter.file_refused(refused=False)
        except PolicyRefused as refused:
            file = await self._last_good(refused)
        await _until_it_answers(lambda: self._put_in_force(file))
        await self._looking.start()

    async def stop(self) -> None:
        """Look no more; the policy stays in force."""
        await self._looking.stop()

    async def wait_failed(self) -> BaseException:
        """Return when nobody looks any more."""
        return await self._looking.wait_failed()

    async def look(self) -> None:
        """Take the file if it has changed and stood still since the last look.

        Half a file may be a policy with half its rules: what is still being written is left alone.
        """
        stamp, before = _stamp(self._path), self._last
        self._last = stamp
        if stamp == self._seen or stamp != before:
            return
        try:
            file = await asyncio.to_thread(load_policy_file, self._path)
        except PolicyRefused as refused:
            self._seen = stamp
            self._say_refused("policy file refused: the policy in force stays", refused)
            return
        if _stamp(self._path) != stamp:
            return
        await self._put_in_force(file)
        self._seen = stamp
        self._meter.file_refused(refused=False)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except RetryLater as later:
                log.warning("policy change waits for the database", why=later.why)

    async def _put_in_force(self, file: PolicyFile) -> None:
        policy = file.policy
        await self._archive.keep(policy.version, file.body)
        self._policies.activate(policy)
        self._meter.policy_in_force(name=policy.name, version=policy.version)
        log.info(
            "policy in force",
            policy=policy.name,
            version=policy.version,
            rules=len(policy.rules),
            tests=file.tests,
            warnings=list(file.warnings),
        )

    async def _last_good(self, refused: PolicyRefused) -> PolicyFile:
        """Give the policy that was last in force, where the file can not be."""
        body = await _until_it_answers(self._archive.newest)
        try:
            file = read_policy_file(body.encode()) if body is not None else None
        except PolicyRefused:
            file = None
        if file is None:
            raise StartRefused("\n  ".join(["GARBO_POLICY is refused:", *refused.lines(str(self._path))]))
        self._say_refused("policy file refused: starting with the last good policy", refused)
        return file

    def _say_refused(self, what: str, refused: PolicyRefused) -> None:
        self._meter.file_refused(refused=True)
        faults = refused.lines(self._path.name)
        log.error(what, faults=faults[:MOST_FAULTS], faults_count=len(faults))


def _stamp(path: Path) -> Stamp | None:
    """Tell one state of the file from another, through links; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


async def _until_it_answers(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask the database until it answers; the process gives up when its start takes too long."""
    while True:
        try:
            return await ask()
        except RetryLater as later:
            log.warning("policy waits for the database", why=later.why)
            await asyncio.sleep(TRY_AGAIN_S)
