"""Lists of templates over HTTP, from the simulated platform: all pages, and each way it shows none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from garbo.common.events.template_takes import Takes
from garbo.sender.domain.template_components import read_template
from garbo.sender.flow.templates import CannotRead
from garbo.sender.outbound.whatsapp_templates import WhatsAppTemplates
from garbo.simulator.assets.templates import Template
from libs.simulator.tests.support.world import NUMBER, Running, running_world
from services.sender.tests.support.graph import a_graph_client, fake_graph

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 1, 10, tzinfo=UTC)


@asynccontextmanager
async def lists_of(url: str, token: str | None = NUMBER.token) -> AsyncIterator[WhatsAppTemplates]:
    async with a_graph_client(url, {NUMBER.id: token}) as graph:
        yield WhatsAppTemplates(graph)


async def why(running: Running, token: str | None = NUMBER.token) -> str:
    async with lists_of(running.url, token) as lists:
        with pytest.raises(CannotRead) as cannot:
            await lists.of_account(NUMBER.waba, number=NUMBER.id)
    return cannot.value.why


async def test_all_pages_are_read_and_each_template_says_what_it_takes(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        shelf = running.world.accounts.shelves[NUMBER.waba]
        for number in range(250):
            shelf.put(Template(f"one_{number}", "it", "UTILITY", number % 3))
        async with lists_of(running.url) as lists:
            items = await lists.of_account(NUMBER.waba, number=NUMBER.id)
    read = {one.name: one for item in items if (one := read_template(item, waba=NUMBER.waba, at=AT))}
    assert len(read) == 252
    assert read["one_2"].takes == Takes(body_values=("1", "2"))
    assert (read["spring_sale"].category, read["spring_sale"].status) == ("MARKETING", "APPROVED")


async def test_platform_that_does_not_show_them_says_why(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        assert await why(running, "wrong") == "code_190"
        assert await why(running, None) == "no_token"
        for patch, code in ({"scopes": []}, "code_200"), ({"expires_in_s": -5}, "code_190"):
            await running.client.patch(f"/control/tokens/{NUMBER.id}", json=patch)
            assert await why(running) == code
    assert await why(running) == "unreachable"


async def test_platform_that_refuses_without_more_is_said_by_its_code() -> None:
    async with fake_graph() as graph, lists_of(graph.url) as lists:
        with pytest.raises(CannotRead) as cannot:
            await lists.of_account(NUMBER.waba, number=NUMBER.id)
    assert cannot.value.why == "code_100"
