"""The HTTP door against the simulated platform, which checks bodies and tokens as Meta does."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import Content, TemplateContent
from garbo.common.events.template import Language, Template
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, judge
from garbo.sender.outbound.whatsapp import WhatsAppApi
from libs.common.tests.support.contents import GOOD
from libs.simulator.tests.support.world import NUMBER, running_world
from services.sender.tests.support.builders import a_grant

pytestmark = pytest.mark.integration

ONE = ({"type": "body", "parameters": [{"type": "text", "text": "Ada"}]},)
CONTENTS: dict[str, Content] = {
    name: TypeAdapter[Content](Content).validate_python(content)
    for name, content in GOOD.items()
    if name != "template"
}
CONTENTS["template"] = TemplateContent(
    template=Template(name="spring_sale", language=Language(code="en"), components=ONE)
)
UNKNOWN = TemplateContent(template=Template(name="no_such", language=Language(code="en")))


async def test_the_simulated_platform_takes_what_we_send_and_we_take_its_answers(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        api = WhatsAppApi(
            url=running.url, version="v25.0", tokens={NUMBER.id: str(NUMBER.token), "1002": "x"}
        )
        await api.start()
        try:
            for name, content in CONTENTS.items():
                to = Recipient(phone="+393331234567")
                grant = a_grant(number=NUMBER.id, to=to).model_copy(update={"content": content})
                outcome = judge(await api.post(grant, attempt_id=f"{grant.message_id}.1"))
                assert isinstance(outcome, Accepted), name
            by_user = a_grant(number=NUMBER.id, to=Recipient(user_id="IT.13491208655302741918"))
            assert isinstance(judge(await api.post(by_user, attempt_id="a.1")), Accepted)
            unknown = a_grant(number=NUMBER.id).model_copy(update={"content": UNKNOWN})
            assert judge(await api.post(unknown, attempt_id="a.1")) == Failed(132001, "template_unknown")
            wrong_token = judge(await api.post(a_grant(number="1002"), attempt_id="a.1"))
            assert isinstance(wrong_token, NotYet)
            assert wrong_token.slow_down
        finally:
            await api.stop()
