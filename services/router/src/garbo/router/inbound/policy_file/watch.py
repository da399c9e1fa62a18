"""Keeps the policy in force in line with its file, without a restart; a bad file changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import structlog

from garbo.common.errors import RetryLater, StartRefused
from garbo.common.runtime.background import Background
from garbo.common.runtime.watched_file import LOOK_EVERY_S, StillFiles
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.inbound.policy_file.load import (
    PolicyFile,
    PolicyRefused,
    load_policy_file,
    read_policy_file,
)
from garbo.router.ports.policy_archive import PolicyArchive
from garbo.router.ports.telemetry import PolicyMeter

TRY_AGAIN_S: Final = 0.5
MOST_FAULTS: Final = 20

Answer = TypeVar("Answer")
log = structlog.get_logger()


class PolicyWatch:
    """A component that puts the file's policy in force at the start and whenever the file changes.

    A policy is stored before it is in force. Start it after the database and before anything that decides.
    """

    def __init__(
        self, path: Path, *, policies: PolicyInForce, archive: PolicyArchive, meter: PolicyMeter
    ) -> None:
        self._path, self._policies, self._archive, self._meter = path, policies, archive, meter
        self._looking = Background("watch policy", self._keep_looking)
        self._file = StillFiles(lambda: (path,))

    async def start(self) -> None:
        """Put the file's policy in force, or the last good one; raises `StartRefused` without either."""
        self._file = StillFiles(lambda: (self._path,))
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
        if not self._file.changed():
            return
        try:
            file = await asyncio.to_thread(load_policy_file, self._path)
        except PolicyRefused as refused:
            self._file.take()
            self._say_refused("policy file refused: the policy in force stays", refused)
            return
        if not self._file.is_still():
            return
        await self._put_in_force(file)
        self._file.take()
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


async def _until_it_answers(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask the database until it answers; the process gives up when its start takes too long."""
    while True:
        try:
            return await ask()
        except RetryLater as later:
            log.warning("policy waits for the database", why=later.why)
            await asyncio.sleep(TRY_AGAIN_S)
