"""`garbo up --live`: the same installation without the simulator, for real people."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from garbo.cli.typed import garbo
from garbo.cli.up.plan import Plan
from garbo.common.errors import StartRefused
from garbo.common.runtime.live import reaches_people
from garbo.common.runtime.published import read_with_tokens

PLATFORM: Final = "https://graph.facebook.com"
_SECRETS: Final = "GARBO_WHATSAPP_APP_SECRETS"


def live_plan(plan: Plan, env: Mapping[str, str], business: Path) -> Plan:
    """Give the plan with the platform in the simulator's place.

    Raises `StartRefused` before anything starts: for a business file that cannot be read, a token that is not
    there or everybody knows, no app secret. What else is published, each service refuses by itself.
    """
    url = env.get("GARBO_GRAPH_URL") or PLATFORM
    path = business.expanduser().resolve()
    if not path.is_file():
        mend = f"type {garbo('connect', 'TOKEN_FILE NUMBER_ID --business', str(business))}"
        raise StartRefused(f"there is no business file {business}: {mend}")
    read = read_with_tokens(path, live=reaches_people(url))
    if not read.business.numbers:
        raise StartRefused(f"{business} lists no number: type {garbo('connect')}")
    if not (env.get(_SECRETS) or env.get(f"{_SECRETS}_FILE")):
        raise StartRefused(
            f"{_SECRETS} is not set: copy the app secret from Meta's dashboard (App settings, Basic) into a "
            f"file and set {_SECRETS}_FILE"
        )
    return replace(plan, business=path, platform=url)
