"""A connection that uvloop has closed is a broken one to aiokafka, and not the end of its task."""

import asyncio
from typing import Any

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from garbo.common.runtime.connections import expect_closed_transports


@pytest.mark.parametrize("method", ["send", "_send_sasl_token"])
def test_write_to_a_closed_transport_is_a_broken_connection(method: str) -> None:
    expect_closed_transports()
    expect_closed_transports()

    async def write() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection: Any = AIOKafkaConnection("127.0.0.1", port)
        _, connection._writer = await asyncio.open_connection("127.0.0.1", port)
        connection._versions = {3: (0, 5)}
        connection._writer.transport.abort()
        await asyncio.sleep(0)  # the transport closes in the next turn of the loop
        given = MetadataRequest(None) if method == "send" else b"token"
        with pytest.raises(KafkaConnectionError):
            getattr(connection, method)(given)
        server.close()
        await server.wait_closed()

    uvloop.run(write())
