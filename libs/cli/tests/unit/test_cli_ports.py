import socket

from garbo.cli.local.ports import LOOPBACK, is_free
from tests.support.ports import QUIET, free_ports


def test_free_ports_are_different_and_none_that_an_outgoing_connection_may_take_meanwhile() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(port in QUIET for port in ports)
    linux_begins = 32_768
    assert max(QUIET) < linux_begins


def test_port_somebody_listens_on_is_not_free() -> None:
    (port,) = free_ports(1)
    assert is_free(port)
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert not is_free(port)
