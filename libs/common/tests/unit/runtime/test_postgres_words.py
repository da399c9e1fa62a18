"""Every class of asyncpg's exceptions, put through the translation."""

from typing import Final

import asyncpg
import pytest

from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.postgres import transient_as_retry
from libs.common.tests.support.errors import every_error

RETRY, REJECT, BUG = "retry", "reject", "bug"
BY_CLASS: Final = {  # of SQLSTATE, PostgreSQL 18, appendix A
    "03": BUG,  # SQL statement not yet complete
    "08": RETRY,  # connection
    "09": BUG,  # triggered action
    "0A": BUG,  # feature not supported
    "0B": BUG,
    "0F": BUG,
    "0L": BUG,
    "0P": BUG,
    "0Z": BUG,
    "10": BUG,
    "20": BUG,
    "21": BUG,  # cardinality
    "22": REJECT,  # data
    "23": BUG,  # integrity constraint
    "24": BUG,
    "25": BUG,  # transaction state, but for what a server ends by itself
    "26": BUG,
    "27": BUG,
    "28": RETRY,  # authorization: it was right at the start
    "2B": BUG,
    "2D": BUG,
    "2F": BUG,
    "34": BUG,
    "38": BUG,
    "39": BUG,
    "3B": BUG,
    "3D": RETRY,  # no such database: it was there at the start
    "3F": BUG,
    "40": RETRY,  # transaction rollback
    "42": BUG,  # syntax, access
    "44": BUG,
    "53": RETRY,  # resources
    "54": REJECT,  # program limit
    "55": RETRY,  # prerequisite state: locks
    "57": RETRY,  # operator intervention
    "58": RETRY,  # system
    "72": RETRY,  # snapshot too old
    "F0": RETRY,  # its files
    "HV": BUG,  # foreign data
    "P0": BUG,  # raised by our own functions
    "XX": RETRY,  # internal
}
BY_NAME: Final = {
    "ReadOnlySQLTransactionError": RETRY,
    "IdleInTransactionSessionTimeoutError": RETRY,
    "TransactionTimeoutError": RETRY,
    "UntranslatableCharacterError": REJECT,
    # asyncpg's own, without a SQLSTATE
    "PostgresError": BUG,
    "FatalPostgresError": RETRY,
    "UnknownPostgresError": RETRY,
    "InternalClientError": RETRY,
    "OutdatedSchemaCacheError": RETRY,
    "ProtocolError": RETRY,
    "TargetServerAttributeNotMatched": RETRY,
    "InterfaceError": BUG,
    "ClientConfigurationError": BUG,
    "UnsupportedClientFeatureError": BUG,
    "UnsupportedServerFeatureError": BUG,
}


def _expected(error: type[Exception]) -> str:
    return BY_NAME.get(error.__name__) or BY_CLASS[(getattr(error, "sqlstate", None) or "??")[:2]]


def _what_becomes_of(error: Exception) -> str:
    try:
        with transient_as_retry():
            raise error
    except RetryLater:
        return RETRY
    except Reject:
        return REJECT
    except type(error):
        return BUG


@pytest.mark.parametrize("error", every_error(asyncpg.exceptions), ids=lambda error: str(error.__name__))
def test_each_class_of_asyncpg_means_what_its_sqlstate_means(error: type[Exception]) -> None:
    assert _what_becomes_of(error("some text")) == _expected(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.InterfaceError("cannot perform operation: connection is closed"), RETRY),
        (asyncpg.InterfaceError("the underlying connection has been released back to the pool"), RETRY),
        (asyncpg.InterfaceError("pool is closing"), RETRY),
        (asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"), BUG),
        (ConnectionResetError(), RETRY),
        (TimeoutError(), RETRY),
        (KeyError("x"), BUG),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_has_no_class_of_its_own(error: Exception, expected: str) -> None:
    assert _what_becomes_of(error) == expected
