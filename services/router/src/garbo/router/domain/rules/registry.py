"""Every kind of rule there is."""

from typing import Final

from garbo.router.domain.rules.block import BlockRule
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.rules.cap import CapRule, GapRule
from garbo.router.domain.rules.case_hold import HoldRule
from garbo.router.domain.rules.consent import ConsentRule
from garbo.router.domain.rules.platform_pause import PauseRule
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.rules.service_window import WindowRule

RULES: Final[tuple[type[Rule], ...]] = (
    BlockRule,
    ConsentRule,
    WindowRule,
    QuietRule,
    HoldRule,
    CapRule,
    GapRule,
    BudgetRule,
    PauseRule,
)
