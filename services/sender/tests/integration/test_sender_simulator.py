"""The HTTP door against the simulated platform, which checks bodies and tokens as Meta does."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import Content, TemplateContent
from garbo.common.events.reads import ReadRequested
from garbo.common.events.template import Language, Template
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, judge
from garbo.sender.domain.read_marks import outcome_of_mark
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.outbound.whatsapp_reads import WhatsAppReads
from garbo.simulator.assets.media import Media
from libs.common.tests.support.contents import GOOD, changed
from libs.simulator.tests.support.world import NUMBER, running_world
from services.sender.tests.support.builders import a_grant, a_send
from services.sender.tests.support.graph import a_graph_client

pytestmark = pytest.mark.integration

OWN = {"name": "spring_sale", "language": {"code": "en"}}
CONTENTS: dict[str, Content] = {
    name: TypeAdapter[Content](Content).validate_python(
        changed(content, ("template",), content["template"] | OWN) if "template" in content else content
    )
    for name, content in GOOD.items()
}
FILE = Media("77", NUMBER.waba, NUMBER.id, "audio/ogg", b"", 0, 0, expires_at=time.time() + 3600)
"""What the good contents show by its id."""
UNKNOWN = TemplateContent(template=Template(name="no_such", language=Language(code="en")))


async def test_the_simulated_platform_takes_what_we_send_and_we_take_its_answers(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        api = WhatsAppApi(
            url=running.url, version="v25.0", tokens={NUMBER.id: str(NUMBER.token), "1002": "x"}
        )
        await api.start()
        running.world.accounts.media.keep(b"OggS", FILE)
        try:
            for name, content in CONTENTS.items():
                to = Recipient(phone="+393331234567")
                grant = a_grant(number=NUMBER.id, to=to).model_copy(update={"content": content})
                outcome = judge(await api.post(a_send(grant), attempt_id=f"{grant.message_id}.1"))
                assert isinstance(outcome, Accepted), name
            by_user = a_grant(number=NUMBER.id, to=Recipient(user_id="IT.13491208655302741918"))
            assert isinstance(judge(await api.post(a_send(by_user), attempt_id="a.1")), Accepted)
            unknown = a_grant(number=NUMBER.id).model_copy(update={"content": UNKNOWN})
            assert judge(await api.post(a_send(unknown), attempt_id="a.1")) == Failed(
                132001, "template_unknown"
            )
            wrong_token = judge(await api.post(a_send(a_grant(number="1002")), attempt_id="a.1"))
            assert isinstance(wrong_token, NotYet)
            assert wrong_token.code == 190
        finally:
            await api.stop()


@pytest.mark.parametrize("typing", [True, False])
async def test_the_simulated_platform_takes_a_read_mark(tmp_path: Path, typing: bool) -> None:
    tokens = {NUMBER.id: NUMBER.token, "1002": "x"}
    async with running_world(tmp_path) as running, a_graph_client(running.url, tokens) as graph:
        reads = WhatsAppReads(graph)
        marked = ReadRequested(
            client="desk", number=NUMBER.id, message_id="wamid.x", requested_at=datetime.now(UTC)
        )
        assert outcome_of_mark(await reads.mark(marked, typing=typing)) == "marked"
        elsewhere = marked.model_copy(update={"number": "1002"})
        assert outcome_of_mark(await reads.mark(elsewhere, typing=typing)) == "refused"
        unlisted = marked.model_copy(update={"number": "1003"})
        assert outcome_of_mark(await reads.mark(unlisted, typing=typing)) == "again"
