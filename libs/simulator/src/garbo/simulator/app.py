"""Wires the simulator's process."""

from garbo.common.business import Business, load_business
from garbo.common.runtime.door.keyless import Keyless
from garbo.common.runtime.http import server_of
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.telemetry import configure
from garbo.simulator.assets.app import MetaApp
from garbo.simulator.assets.templates import Template
from garbo.simulator.control import livelier
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.interface import make_app
from garbo.simulator.settings import SimulatorSettings
from garbo.simulator.world import WorldPlan, make_world


def build(settings: SimulatorSettings) -> App:
    """Wire everything: what makes the world move, then the server."""
    configure(service="simulator", log_format=settings.log_format, log_level=settings.log_level)
    business = load_business(settings.config)
    world = make_world(
        WorldPlan(
            accounts=accounts_of(business, settings),
            seed=settings.seed,
            same_ids=settings.same_ids,
            customers=settings.customers,
            ledger=settings.ledger,
            control=livelier(settings.control) if settings.lively else settings.control,
        )
    )
    server = server_of(settings, make_app(world, business=business, keyless=Keyless(settings.open_to)))
    return App(service="simulator", components=[*world.components(), server])


def accounts_of(business: Business, settings: SimulatorSettings) -> Accounts:
    """Read what the business has on the platform out of its file."""
    secret = settings.whatsapp_app_secrets[0].get_secret_value()
    return Accounts(
        app=MetaApp(id=settings.app_id, secret=secret),
        callback_url=settings.webhook_url,
        seed=settings.seed,
        numbers=[
            SendingNumber(
                id=number.id,
                display=number.display,
                waba=number.waba,
                token=number.access_token(),
                rate_per_s=max(1, int(number.rate_per_s)),
            )
            for number in business.numbers
        ],
        templates=[
            Template(template.name, template.language, template.category, template.parameters or 0)
            for template in business.templates
        ],
    )
