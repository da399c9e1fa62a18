"""Wires the demo business's process."""

from httpx_aiohttp import HttpxAiohttpClient

from garbo.common.business import load_business
from garbo.common.errors import StartRefused
from garbo.common.runtime.background import Background
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.lifecycle import App, Component
from garbo.common.runtime.telemetry import configure
from garbo.simulator.business.help_desk import HelpDesk
from garbo.simulator.business.publisher import Publisher
from garbo.simulator.business.requests import offer_of
from garbo.simulator.business.shop import Pace, Shop
from garbo.simulator.settings import SimulatorSettings


class Connections:
    """The HTTP connections of the process, closed at its end."""

    def __init__(self) -> None:
        self.client = HttpxAiohttpClient()

    async def start(self) -> None:
        """Nothing to do: connections are made when needed."""

    async def stop(self) -> None:
        """Close all of them."""
        await self.client.aclose()


def build(settings: SimulatorSettings) -> App:
    """Wire shop and help desk. Raises `StartRefused` without an API key."""
    configure(service="business", log_format=settings.log_format, log_level=settings.log_level)
    if settings.api_key is None:
        raise StartRefused(
            "GARBO_SIMULATOR_API_KEY is not set: give the key of a client in the business file."
        )
    connections = Connections()
    key = settings.api_key.get_secret_value()
    care_key = (settings.care_api_key or settings.api_key).get_secret_value()
    pace = Pace(
        utility_per_minute=settings.utility_per_minute,
        campaign_every_s=settings.campaign_every_s,
        campaign_size=settings.campaign_size,
        consent_ratio=settings.consent_ratio,
        zone_ratio=settings.zone_ratio,
    )
    shop = Shop(
        Publisher(connections.client, ingest_url=settings.ingest_url, api_key=key),
        offer_of(load_business(settings.config), settings.brand),
        pace=pace,
        simulator_url=settings.url,
        seed=settings.seed,
    )
    desk = HelpDesk(
        Publisher(connections.client, ingest_url=settings.ingest_url, api_key=care_key),
        kafka=kafka_of(settings),
        think_s=settings.answer_delay_ms / 1000,
        case_s=settings.case_s,
    )
    components: list[Component] = [
        connections,
        Background("shop", shop.run),
        Background("help desk", desk.run),
    ]
    return App(service="business", components=components)
