"""One secure broker for all tests that ask who is let in, and to do what."""

import asyncio
import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from aiokafka import AIOKafkaProducer

from garbo.cli.connection import user_settings_of
from garbo.cli.local.workspace import default_data_folder
from garbo.cli.rights.command import apply_acls
from garbo.cli.rights.table import MEMBERS
from garbo.cli.topics import apply_topics
from garbo.common.events.topics import RAW_TOPICS, TOPICS
from garbo.common.runtime.broker import KafkaSettings
from tests.support.folders import home_of_a_server
from tests.support.own_servers import OwnKafka
from tests.support.secure_kafka import SecureListeners
from tests.support.secure_stand import Secure

PASSWORDS: Final = {
    f"GARBO_KAFKA_{member.who.upper()}_PASSWORD": f"{member.who}-password" for member in MEMBERS
}


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by openssl, which is not here")
    with home_of_a_server() as home:
        listeners = SecureListeners(home)
        server = OwnKafka(home=home, jars=default_data_folder() / "kafka" / "jars", listeners=listeners)
        server.start()
        try:
            unnamed = KafkaSettings(server.bootstrap_servers)
            asyncio.run(_prepared(unnamed))
            yield Secure(listeners, unnamed, tmp_path_factory.mktemp("secure"))
        finally:
            server.stop()


async def _prepared(unnamed: KafkaSettings) -> None:
    await apply_topics(unnamed, replication=1)
    done = await apply_acls(unnamed, user_settings_of(PASSWORDS))
    assert sorted(done.users) == sorted(member.user for member in MEMBERS)
    producer = AIOKafkaProducer(**unnamed.connection())
    await producer.start()
    try:
        for topic in [t.name for t in TOPICS] + [t.name for t in RAW_TOPICS]:
            await producer.send_and_wait(topic, b"something to read", key=b"k", partition=0)
    finally:
        await producer.stop()
