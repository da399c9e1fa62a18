"""What the fixtures `kafka` and `postgres` of the root conftest.py are."""

import asyncio
import uuid
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from garbo.cli.postgres_roles import ServiceRole, set_roles
from garbo.cli.topics import configs_of
from garbo.common.events.base import Event
from garbo.common.events.topics import RawTopic, Topic
from garbo.common.runtime.migrations import migrate

E = TypeVar("E", bound=Event)
TIMEOUT_S = 30
POLL_S = 0.1


class SharedKafka:
    """The broker all tests of a session share; topics of one's own keep tests apart."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    async def create_topics(self, topics: Sequence[Topic[Any] | RawTopic]) -> None:
        """Create those that are not there yet, as the table says."""
        async with asyncio.timeout(TIMEOUT_S):
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
            await admin.start()
            try:
                there = set(await admin.list_topics())
                if new := [_new(topic) for topic in topics if topic.name not in there]:
                    await admin.create_topics(new)
            finally:
                await admin.close()

    def forget_topics(self) -> None:
        """Delete every topic whose name begins with `garbo.`, and with it what groups had read. Blocks."""
        _finish(self._forget_topics())

    async def _forget_topics(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
            await admin.start()
            try:
                while ours := [name for name in await admin.list_topics() if name.startswith("garbo.")]:
                    await admin.delete_topics(ours)
                    await asyncio.sleep(POLL_S)
            finally:
                await admin.close()

    async def fresh_topic(self, topic: Topic[E], *, partitions: int | None = None) -> Topic[E]:
        """Create a topic like this one under a name nobody else has, and return it."""
        name = f"{topic.name}.{uuid.uuid4().hex[:8]}"
        fresh = replace(topic, name=name, partitions=partitions or topic.partitions)
        await self.create_topics([fresh])
        return fresh


class SharedPostgres:
    """The server all tests of a session share; everyone takes databases of their own."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        """A superuser's way in. Tests use `database()`."""
        self._templates: dict[tuple[str, ...], str] = {}
        self._given: list[str] = []
        self._roles: list[str] = []

    def database(self, *services: str) -> str:
        """Create a database with a name nobody else has; return its DSN. Blocks for 50 ms.

        It holds these services' schemas, copied from one migrated once; without services it is empty.
        """
        if services and services not in self._templates:
            self._templates[services] = self._migrated(services)
        name = self._copy_of(self._templates.get(services, "template0"))
        self._given.append(name)
        return self._dsn_of(name)

    def as_services(self, dsn: str, *services: str) -> dict[str, str]:
        """Give each service of a database the role it has in earnest, under a name of its own. Blocks.

        Returns how each connects: a service that needs more than its role may fails as it would in earnest.
        """
        mark = uuid.uuid4().hex[:8]
        roles = [ServiceRole(service, f"test_{mark}_{service}", uuid.uuid4().hex) for service in services]
        _finish(_set_roles(dsn, roles))
        self._roles += [role.name for role in roles]
        host = urlsplit(dsn).netloc.rpartition("@")[2]
        return {
            role.service: urlsplit(dsn)._replace(netloc=f"{role.name}:{role.password}@{host}").geturl()
            for role in roles
        }

    def forget_databases(self) -> None:
        """Drop all that were given out, whoever is still connected, and their roles. Blocks."""
        while self._given:
            _finish(self._execute(f'DROP DATABASE IF EXISTS "{self._given.pop()}" WITH (FORCE)'))
        while self._roles:
            _finish(self._execute(f"DROP ROLE IF EXISTS {self._roles.pop()}"))

    def forget_templates(self) -> None:
        """Drop what databases were copied from, too. Blocks."""
        self._given.extend(self._templates.values())
        self._templates.clear()
        self.forget_databases()

    def _migrated(self, services: tuple[str, ...]) -> str:
        name = self._copy_of("template0")
        for service in services:
            _finish(_migrate(self._dsn_of(name), service))
        return name

    def _copy_of(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        _finish(self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return name

    def _dsn_of(self, name: str) -> str:
        return urlsplit(self.dsn)._replace(path=f"/{name}").geturl()

    async def _execute(self, statement: str) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            connection = await asyncpg.connect(self.dsn)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Finish async work from sync code, also while the caller's own loop runs."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result(TIMEOUT_S * 2)


async def _migrate(dsn: str, service: str) -> None:
    await migrate(dsn, service)


async def _set_roles(dsn: str, roles: Sequence[ServiceRole]) -> None:
    await set_roles(dsn, roles, make=True)


def _new(topic: Topic[Any] | RawTopic) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, 1, topic_configs=configs_of(topic))
