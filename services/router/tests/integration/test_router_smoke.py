import pytest

from garbo.router.testing.build import consent, inbound, requested, result, status


@pytest.mark.integration
async def test_smoke(stored) -> None:
    await stored.hear(consent())
    a = requested()
    print(await stored.ask(a))
    print(stored.granted)
    await stored.ask(a)
    await stored.hear(result(stored.granted[0], "accepted", wamid="w1"), status(a.message_id, "delivered"))
    await stored.ask(requested(), requested(), requested())
    await stored.hear(inbound("STOP"))
    print(stored.meter)
    for d in stored.decided:
        print(d.model_dump_json(exclude_none=True))
