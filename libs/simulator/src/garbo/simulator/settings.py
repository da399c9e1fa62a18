"""What the simulator and its demo business are told: `GARBO_SIMULATOR_*` and shared names."""

from pathlib import Path
from typing import Annotated, ClassVar

import orjson
from pydantic import BeforeValidator, Field, SecretStr

from garbo.common.runtime.door.keyless import OpenTo
from garbo.common.runtime.settings import Port, Secrets, WithHttp, WithKafka
from garbo.simulator.assets.app import MetaApp
from garbo.simulator.control import ControlState


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise ValueError("must be a JSON object") from None


class SimulatorSettings(WithKafka, WithHttp):
    """One class for both processes, because they share one environment."""

    service: ClassVar[str] = "simulator"

    config: Path
    """The business file."""
    whatsapp_app_secrets: Secrets
    """The first one is the app's: it signs the webhooks."""
    app_id: Annotated[str, Field(pattern=r"^[0-9]{1,32}$")] = MetaApp().id
    """The app's id on the platform."""
    port: Port = 8090
    open_to: OpenTo = "loopback"
    """Who may see and change this world without a key: `loopback`, this machine, under a loopback name and
    through no proxy; `gateway`, the host of the container as well; `nobody`."""
    webhook_url: str = "http://127.0.0.1:8080/webhooks/whatsapp"
    seed: str = "garbo"
    """Same seed, same customers and same choices."""
    same_ids: bool = False
    """The same message ids in each run, from the seed: for one run alone, since ids must not come again."""
    customers: Annotated[int, Field(ge=0, le=100_000)] = 200
    ledger: Path | None = None
    """The ledger's file; absent: it lives as long as the process."""
    control: Annotated[ControlState, BeforeValidator(_parsed)] = ControlState()
    """The control state at the start, as JSON; see `GET /control`."""
    lively: bool = False
    """Customers also use WhatsApp's own stop, answer with unclear words and change numbers, and Meta holds a
    promo back now and then; what `control` names has the last word."""

    # The demo business
    url: str = "http://127.0.0.1:8090"
    """Where the simulator answers."""
    ingest_url: str = "http://127.0.0.1:8080"
    api_key: SecretStr | None = None
    """The business's key at ingest's publish API."""
    care_api_key: SecretStr | None = None
    """The help desk's own key; absent: the same."""
    brand: str | None = None
    """The brand it speaks for; absent: the first of the business file."""
    utility_per_minute: Annotated[float, Field(ge=0, le=60_000)] = 20
    campaign_every_s: Annotated[float, Field(gt=0, le=86_400)] = 45
    """A promo campaign to many people starts this often."""
    campaign_size: Annotated[int, Field(ge=1, le=1000)] = 60
    consent_ratio: Annotated[float, Field(ge=0, le=1)] = 0.8
    """How many customers gave marketing consent."""
    zone_ratio: Annotated[float, Field(ge=0, le=1)] = 0.15
    """How many customers live in another time zone than their number says."""
    case_s: Annotated[float, Field(gt=0, le=86_400)] = 240
    """A case nobody thanked for is closed after this."""
    answer_delay_ms: Annotated[int, Field(ge=0, le=600_000)] = 1_500
    """How long the help desk thinks before it answers."""
