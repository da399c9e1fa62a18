"""The test policy, and rules in one line of YAML each: every line that several tests stand on, once."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from garbo.router.domain.policy import Policy
from garbo.router.inbound.policy_file.load import read_policy

MakePolicy: TypeAlias = Callable[..., Policy]

PAYLOADS: Final = Path(__file__).parents[1] / "payloads"

PROMO: Final = "applies_to: { class: promo }"
PROMO_ONLY: Final = f"{PROMO}, counts: {{ class: promo }}"

OPT_IN: Final = f"id: opt-in, type: consent, purpose: marketing, {PROMO}, hard: true"
DOUBLE_OPT_IN: Final = f"{OPT_IN}, level: double"
STOPPED: Final = f"id: user-stop, type: block, state: stopped, {PROMO}, hard: true"
ERASED: Final = "id: erased, type: block, state: erased, hard: true"
WINDOW: Final = "id: wa-window, type: window, open: 24h, applies_to: { form: free }, hard: true"
NEVER: Final = f"id: never, type: block, state: always, {PROMO}"

NIGHT: Final = f'id: night, type: quiet, from: "21:00", to: "09:00", days: all, {PROMO}'
RECIPIENTS_NIGHT: Final = (
    f'id: night, type: quiet, from: "21:00", to: "09:00", days: all, zone: recipient, {PROMO}'
)
CASE_HOLD: Final = (
    f"id: care-open, type: hold, state: case_open, cool_down: 24h, max: 7d, {PROMO}, on_hit: {{ defer: %s }}"
)

ONE_A_DAY: Final = f"id: day, type: cap, limit: 1, window: {{ rolling: 24h }}, {PROMO_ONLY}"
ONE_A_WEEK: Final = (
    f"id: c, type: cap, limit: 1, window: {{ rolling: 7d }}, {PROMO_ONLY}, on_hit: {{ defer: 30d }}"
)
SOME_A_WEEK: Final = (
    "id: week, type: cap, limit: %d, window: { rolling: 7d }, on_hit: { defer: 8d }, " + PROMO_ONLY
)
ONCE_A_CAMPAIGN: Final = (
    "id: once, type: cap, limit: 1, window: lifetime, per: [recipient, campaign], on_hit: deny"
)
ONE_PROMO_A_CAMPAIGN: Final = (
    f"id: once, type: cap, limit: 1, window: lifetime, per: [recipient, campaign], {PROMO_ONLY}, on_hit: deny"
)
ONE_A_WEEK_BUT_FOR_A_LEAD: Final = (
    "id: week, type: cap, limit: 1, window: { rolling: 7d }, on_hit: { defer: 30d }, overridable_by: [lead]"
)
THREE_A_DAY: Final = ONE_A_DAY.replace("limit: 1", "limit: 3")
BUDGET_OF_TWO: Final = f"id: total, type: budget, limit: 2, per: campaign, {PROMO}"


def quiet(start: str, end: str, days: str = "all", name: str = "quiet") -> str:
    """Write a rule of quiet hours for promo."""
    return f'id: {name}, type: quiet, from: "{start}", to: "{end}", days: {days}, {PROMO}'


def policy_of(*rules: str) -> Policy:
    """The test policy; with rules given (each one line of YAML), these in place of its own."""
    content = (PAYLOADS / "policy.yaml").read_text()
    if rules:
        head, _, _ = content.partition("rules:")
        content = "\n".join([head, "rules:", *(f"  - {{ {rule} }}" for rule in rules)])
    return read_policy(content.encode())
