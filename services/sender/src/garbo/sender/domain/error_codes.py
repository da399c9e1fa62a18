"""The platform's error codes, as data: what each means for an attempt.

Source: Meta, Cloud API "Error codes" (read 2026-09). Decide on the code alone, never on title or HTTP status.
"""

from typing import Final, Literal, NamedTuple

CodeClass = Literal["permanent", "retry", "throttle", "throttle_pair", "pause"]
"""permanent: no, for good. retry: later, a few times. throttle: number, account or app is too fast.
throttle_pair: too fast for this person. pause: not sent, and nobody is until somebody mends it."""
Paused = Literal["account", "number", "promo", "template", "templates"]
"""What a code pauses; templates: all of the account. promo: of the number."""


class Code(NamedTuple):
    """One code: how to act on it, and a stable word for people."""

    code: int
    act: CodeClass
    word: str
    title: str
    pauses: Paused | None = None
    pause_h: float | None = None
    """For so many hours; None: until somebody says so."""
    of_account: bool = False
    """Of a throttle: all numbers of the account are too fast."""


_TABLE: Final = (
    Code(0, "pause", "token_refused", "AuthException", pauses="number"),
    Code(1, "retry", "platform_error", "API Unknown"),
    Code(2, "retry", "platform_busy", "API Service"),
    Code(3, "pause", "not_permitted", "API Method", pauses="number"),
    Code(4, "throttle", "app_throttled", "API Too Many Calls", of_account=True),
    Code(10, "pause", "not_permitted", "Permission Denied", pauses="number"),
    Code(33, "pause", "number_deleted", "Parameter value is not valid", pauses="number"),
    Code(100, "permanent", "invalid_parameter", "Invalid parameter"),
    Code(190, "pause", "token_expired", "Access token has expired", pauses="number"),
    Code(200, "pause", "not_permitted", "API Permission", pauses="number"),
    Code(
        368,
        "pause",
        "account_restricted",
        "Temporarily blocked for policies violations",
        pauses="account",
        pause_h=6,
    ),
    Code(613, "throttle", "app_throttled", "Calls to this api have exceeded the rate limit"),
    Code(80007, "throttle", "account_throttled", "Rate limit issues", of_account=True),
    Code(130403, "permanent", "blocked_by_business", "Blocked user"),
    Code(130429, "throttle", "number_throttled", "Rate limit hit"),
    Code(130472, "permanent", "experiment", "User's number is part of an experiment"),
    Code(
        130497,
        "permanent",
        "country_restricted",
        "Business account is restricted from messaging users in this ",
    ),
    Code(131000, "retry", "platform_error", "Something went wrong"),
    Code(131005, "pause", "not_permitted", "Access denied", pauses="number"),
    Code(131008, "permanent", "parameter_missing", "Required parameter is missing"),
    Code(131009, "permanent", "invalid_parameter", "Parameter value is not valid"),
    Code(131016, "retry", "platform_busy", "Service unavailable"),
    Code(131021, "permanent", "recipient_is_sender", "Recipient cannot be sender"),
    Code(131026, "permanent", "undeliverable", "Message undeliverable"),
    Code(131030, "permanent", "recipient_not_allowed", "Recipient phone number not in allowed list"),
    Code(131031, "pause", "account_locked", "Business Account locked", pauses="account"),
    Code(131037, "pause", "display_name_not_approved", "Display name approval needed", pauses="number"),
    Code(131042, "pause", "payment_issue", "Business eligibility payment issue", pauses="account"),
    Code(131045, "pause", "certificate_wrong", "Incorrect certificate", pauses="number"),
    Code(131047, "permanent", "window_closed", "Re-engagement message"),
    Code(131048, "throttle", "spam_limit", "Spam rate limit hit", pauses="promo", pause_h=6),
    Code(
        131049,
        "permanent",
        "platform_cooldown",
        "This message was not delivered to maintain healthy ecosystem",
    ),
    Code(131050, "permanent", "stopped_marketing", "User stopped marketing messages"),
    Code(131051, "permanent", "message_type_unknown", "Unsupported message type"),
    Code(131052, "permanent", "media_download_failed", "Media download error"),
    Code(131053, "permanent", "media_upload_failed", "Media upload error"),
    Code(131055, "permanent", "route_not_allowed", "Method not allowed"),
    Code(
        131056, "throttle_pair", "pair_throttled", "(Business Account, Consumer Account) pair rate limit hit"
    ),
    Code(131057, "retry", "maintenance", "Account in maintenance mode"),
    Code(131061, "permanent", "route_not_allowed", "Template not allowed on this endpoint"),
    Code(131062, "permanent", "user_id_not_supported", "BSUID recipients are not supported for this message"),
    Code(131063, "permanent", "route_not_allowed", "Marketing templates disabled for Cloud API"),
    Code(
        131064,
        "permanent",
        "templates_locked",
        "Messaging limit: template classification violations",
        pauses="templates",
        pause_h=1,
    ),
    Code(132000, "permanent", "template_parameters_wrong", "Template Param Count Mismatch"),
    Code(132001, "permanent", "template_unknown", "Template does not exist", pauses="template", pause_h=1),
    Code(132005, "permanent", "template_too_long", "Template Hydrated Text Too Long"),
    Code(
        132007,
        "permanent",
        "template_format",
        "Template Format Character Policy Violated",
        pauses="template",
        pause_h=1,
    ),
    Code(132008, "permanent", "template_parameters_wrong", "Template Param Value Invalid"),
    Code(132012, "permanent", "template_parameters_wrong", "Template Parameter Format Mismatch"),
    Code(132015, "permanent", "template_paused", "Template is Paused", pauses="template", pause_h=6),
    Code(132016, "permanent", "template_disabled", "Template is Disabled", pauses="template"),
    Code(132018, "permanent", "template_parameters_wrong", "Template validation error"),
    Code(132068, "permanent", "flow_blocked", "Flow is blocked"),
    Code(132069, "permanent", "flow_throttled", "Flow is throttled"),
    Code(133000, "permanent", "number_not_ready", "Incomplete Deregistration"),
    Code(133004, "retry", "platform_busy", "Server Temporarily Unavailable"),
    Code(133005, "permanent", "pin_wrong", "Two step verification PIN Mismatch"),
    Code(133006, "pause", "number_not_ready", "Phone number re-verification needed", pauses="number"),
    Code(133008, "permanent", "pin_throttled", "Too Many two step verification PIN Guesses"),
    Code(133009, "permanent", "pin_throttled", "Two step verification PIN Guessed Too Fast"),
    Code(133010, "pause", "number_not_registered", "Phone number Not Registered", pauses="number"),
    Code(
        133015,
        "permanent",
        "number_not_ready",
        "Please wait a few minutes before attempting to register this",
    ),
    Code(133016, "permanent", "registration_throttled", "Account register deregister rate limit exceeded"),
    Code(134011, "permanent", "payments_terms", "WhatsApp Payments terms of service has not been accepted"),
    Code(134100, "permanent", "route_not_allowed", "Only marketing messages supported"),
    Code(134101, "retry", "template_syncing", "Your template is still syncing"),
    Code(134102, "permanent", "route_not_allowed", "Template unavailable for use"),
    Code(135000, "permanent", "invalid_parameter", "Generic user error"),
    Code(137000, "permanent", "identity_changed", "Identity key hash mismatch"),
    Code(2494100, "retry", "maintenance", "Account is in maintenance mode"),
)
CODES: Final[dict[int, Code]] = {row.code: row for row in _TABLE}
