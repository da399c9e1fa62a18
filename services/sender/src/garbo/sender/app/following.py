"""What keeps numbers, templates and limits as the business file and the platform have them."""

from dataclasses import dataclass

from garbo.common.clock import SystemClock
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import TEMPLATE_OBSERVED
from garbo.common.runtime.background import Background
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.followed_topic import FollowedTopic
from garbo.common.runtime.lifecycle import Component
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import WithTokens, read_with_tokens, token_files
from garbo.common.runtime.watched_file import WatchedFile
from garbo.sender.app.media import with_room_for_files
from garbo.sender.flow.dispatch import Dispatch
from garbo.sender.flow.portfolio_limits import FollowLimits
from garbo.sender.flow.templates import FollowTemplates
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.kafka_templates import KafkaTemplates
from garbo.sender.outbound.numbers_in_force import NumbersInForce
from garbo.sender.outbound.postgres_portfolios import PostgresPeople
from garbo.sender.outbound.whatsapp_limits import WhatsAppLimits
from garbo.sender.outbound.whatsapp_templates import WhatsAppTemplates
from garbo.sender.settings import SenderSettings


@dataclass(frozen=True, slots=True)
class Following:
    """What keeps numbers and templates as file and platform have them; `parts` in their start order."""

    templates: FollowTemplates
    parts: tuple[Component, ...]

    @classmethod
    def of(  # noqa: PLR0913 - wired once
        cls,
        settings: SenderSettings,
        numbers: NumbersInForce,
        graph: GraphClient,
        dispatch: Dispatch,
        database: Database,
        *,
        producer: Producer,
        known: TemplateRegistry,
        kafka: KafkaSettings,
    ) -> "Following":
        """Put it together."""

        async def use(read: WithTokens) -> None:
            await numbers.take(read)
            dispatch.serve(numbers.rates)

        watched = WatchedFile(
            "business",
            settings.config,
            lambda: with_room_for_files(read_with_tokens(settings.config, live=settings.live), settings),
            use=use,
            beside=token_files,
        )
        templates = FollowTemplates(
            accounts=numbers.accounts,
            lists=WhatsAppTemplates(graph),
            records=KafkaTemplates(producer),
            known=known,
            clock=SystemClock(),
            every=settings.templates_every,
        )
        followed = FollowedTopic(kafka, TEMPLATE_OBSERVED, templates.known.apply)
        follow = FollowLimits(
            accounts=numbers.accounts,
            listed=lambda: numbers.portfolios,
            platform=WhatsAppLimits(graph),
            people=PostgresPeople(database),
            clock=SystemClock(),
            every=settings.templates_every,
        )
        reading = Background("templates", templates.run)
        asking = Background("limits", follow.run)
        return cls(templates, (watched, followed, reading, asking))
