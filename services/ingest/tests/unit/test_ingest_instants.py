"""Every instant of a webhook is read in each way in which the platform, or a third party, writes it."""

from datetime import UTC, datetime

import pytest

from garbo.common.events.platform import PlatformChange
from garbo.ingest.domain.parts import Found
from garbo.ingest.domain.webhook import split_webhook
from services.ingest.tests.support.http import AnyJson
from services.ingest.tests.support.webhooks import text_message, webhook_of

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECOND = datetime(2026, 11, 28, 21, 27, 55, tzinfo=UTC)
FRACTION = SECOND.replace(microsecond=466_000)
WAYS = [
    pytest.param("1795901275", SECOND, id="text of seconds"),
    pytest.param(1795901275, SECOND, id="seconds"),
    pytest.param("1795901275.466", FRACTION, id="text of a fraction"),
    pytest.param(1795901275.466, FRACTION, id="fraction"),
    pytest.param(1795901275.0, SECOND, id="fraction of nothing"),
    pytest.param("1795901275466", FRACTION, id="text of milliseconds"),
    pytest.param(1795901275466, FRACTION, id="milliseconds"),
    pytest.param("1795901275466.0", FRACTION, id="text of milliseconds with a fraction"),
    pytest.param(1795901275466000, FRACTION, id="microseconds"),
    pytest.param("1795901275466000000", FRACTION, id="text of nanoseconds"),
    pytest.param("1.795901275466E9", FRACTION, id="as Java writes a double"),
    pytest.param(" 1795901275 ", SECOND, id="blanks around"),
    pytest.param("2026-11-28T21:27:55.466Z", FRACTION, id="ISO 8601"),
    pytest.param("2026-11-28T22:27:55.466+01:00", FRACTION, id="ISO 8601 with an offset"),
]
STATUS: AnyJson = {"id": "wamid.1", "status": "sent", "recipient_id": "393331234567"}


def change(field: str, value: AnyJson, **of_entry: object) -> AnyJson:
    entry = {"id": "1", **of_entry, "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def instants_of(body: AnyJson) -> list[datetime | None]:
    parts = split_webhook(body, received_at=NOW, hash_key=b"hash-key-of-the-tests")
    events = [part.event for part in parts if isinstance(part, Found)]
    assert len(events) == len(parts), parts
    return [e.occurred_at if isinstance(e, PlatformChange) else e.happened_at for e in events]


@pytest.mark.parametrize(("written", "at"), WAYS)
def test_instant_of_a_webhook_is_read_wherever_it_stands(written: object, at: datetime) -> None:
    status: AnyJson = {**STATUS, "timestamp": written}
    of_statuses: AnyJson = {"metadata": {"phone_number_id": "7"}, "statuses": [status]}
    said: AnyJson = {"wa_id": "393331234567", "value": "stop", "timestamp": written}
    moved: AnyJson = {"user_id": {"previous": "IT.1", "current": "IT.2"}, "timestamp": written}
    bodies = {
        "message": webhook_of(text_message(timestamp=written)),
        "status": change("messages", of_statuses),
        "preference": change("user_preferences", {"user_preferences": [said]}),
        "user id": change("user_id_update", {"user_id_update": [moved]}),
        "entry": change("account_update", {"event": "ACCOUNT_DELETED"}, time=written),
    }
    assert {place: instants_of(body) for place, body in bodies.items()} == {place: [at] for place in bodies}
