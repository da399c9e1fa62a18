"""What aiokafka makes of a connection that uvloop has closed already."""

from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_connection: Final[Any] = AIOKafkaConnection
_METHODS: Final = ("send", "_send_sasl_token")
"""They write, and expect of a broken connection an `OSError`."""


def expect_closed_transports() -> None:
    """Let aiokafka take a write to a closed transport for a broken connection, which it is.

    uvloop raises `RuntimeError` there (asyncio's own loop nothing), and aiokafka does not expect it: while a
    broker dies, that ends the task that keeps a consumer in its group, for good.
    """
    for name in _METHODS:
        method = getattr(_connection, name)
        if not hasattr(method, "expects_closed"):
            setattr(_connection, name, _expecting(method))


def _expecting(method: Any) -> Any:  # noqa: ANN401 - aiokafka's own, without types
    def write(connection: Any, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as above
        try:
            return method(connection, *arguments, **more)
        except RuntimeError as error:
            connection.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"{connection!r} was closed") from error

    write.expects_closed = True  # type: ignore[attr-defined] # so that it is done once
    return write
