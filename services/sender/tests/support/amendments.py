"""What the platform's description (v23) has wrong, or does not know yet, of what is sent.

Each is taken away again in a test: one that is no longer needed fails it.
"""

from typing import Any, Final

from libs.common.tests.support.platform_description import Amendment, Json

_MESSAGES: Final = (
    *("TextMessage", "AudioMessage", "DocumentMessage", "ImageMessage", "LocationMessage", "VideoMessage"),
    *("StickerMessage", "ReactionMessage", "InteractiveMessage", "ContactsMessage"),
)
_COMMON: Final = ("BaseMessageProperties", "MarketingMessageRequestPayload")


def _open_what_is_joined(schemas: Json) -> None:
    for name in _MESSAGES:
        del schemas[name]["allOf"][1]["additionalProperties"]
        schemas[name]["unevaluatedProperties"] = False


def _attempt(schemas: Json) -> None:
    for name in _COMMON:
        schemas[name]["properties"]["biz_opaque_callback_data"] = {"type": "string", "maxLength": 512}


def _user_id(schemas: Json) -> None:
    for name in _COMMON:
        schemas[name]["properties"]["recipient"] = {"type": "string"}
        schemas[name]["required"].remove("to")
        schemas[name]["oneOf"] = [{"required": ["to"]}, {"required": ["recipient"]}]


def _marketing_reply(schemas: Json) -> None:
    context = {"$ref": "#/components/schemas/MessageContext"}
    schemas["MarketingMessageRequestPayload"]["properties"]["context"] = context


def _degrees(schemas: Json) -> None:
    location = schemas["LocationMessage"]["allOf"][1]["properties"]["location"]["properties"]
    location |= {"latitude": {"type": ["string", "number"]}, "longitude": {"type": ["string", "number"]}}


def _policy(schemas: Json) -> None:
    schemas["LanguageObject"]["required"].remove("policy")


def _components(schemas: Json) -> None:
    cards = {"type": "array", "items": {"type": "object", "required": ["card_index", "components"]}}
    _add_type(
        schemas, "TemplateComponent", "carousel", {"required": ["cards"], "properties": {"cards": cards}}
    )
    _add_type(schemas, "TemplateComponent", "limited_time_offer", {"required": ["parameters"]})


def _header_values(schemas: Json) -> None:
    for kind in ("location", "product"):
        _add_type(
            schemas, "ParameterObject", kind, {"required": [kind], "properties": {kind: {"type": "object"}}}
        )


def _button_values(schemas: Json) -> None:
    for kind, shape in (("coupon_code", "string"), ("action", "object")):
        given = {"required": [kind], "properties": {kind: {"type": shape}}}
        _add_type(schemas, "ButtonParameterObject", kind, given)


def _add_type(schemas: Json, base: str, kind: str, shape: Json) -> None:
    schemas[base]["properties"]["type"]["enum"].append(kind)
    schemas[base]["discriminator"]["mapping"][kind] = f"#/components/schemas/{base}_{kind}"
    is_this = {"type": "object", "properties": {"type": {"const": kind}}}
    schemas[f"{base}_{kind}"] = {"allOf": [{"$ref": f"#/components/schemas/{base}"}, is_this, shape]}


def _index(schemas: Json) -> None:
    index = {
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "string", "pattern": "^[0-9]$"}]
    }
    for properties in _button_properties(schemas):
        properties["index"] = index


def _buttons(schemas: Json) -> None:
    for properties in _button_properties(schemas):
        properties["sub_type"]["enum"] += ["copy_code", "flow", "mpm"]


def _loud_catalog(schemas: Json) -> None:
    for properties in _button_properties(schemas):
        properties["sub_type"]["enum"] += ["CATALOG"]


def _button_properties(schemas: Json) -> list[Json]:
    return [
        schemas["TemplateComponent"]["properties"],
        schemas["ButtonComponent"]["allOf"][1]["properties"],
    ]


def _interactive_types(schemas: Json) -> None:
    schemas["InteractiveObject"]["properties"]["type"]["enum"] += [*_NEW_ACTIONS]


def _actions(schemas: Json) -> None:
    schemas["ActionObject"]["oneOf"] += _NEW_ACTIONS.values()


def _named(name: str, **more: Any) -> Json:  # noqa: ANN401 - JSON
    required = ["name", "parameters"] if "parameters" in more else ["name"]
    return {"required": required, "properties": {"name": {"const": name}, **more}}


_LINK: Final = {
    "type": "object",
    "required": ["display_text", "url"],
    "properties": {"display_text": {"type": "string", "maxLength": 20}, "url": {"type": "string"}},
}
_NEW_ACTIONS: Final = {
    "cta_url": _named("cta_url", parameters=_LINK),
    "location_request_message": _named("send_location"),
    "request_contact_info": _named("request_contact_info"),
    "carousel": {
        "required": ["cards"],
        "properties": {"cards": {"type": "array", "minItems": 2, "maxItems": 10}},
    },
}

AMENDMENTS: Final = {
    "joined": Amendment(
        "two objects are joined of which each forbids the other's fields", _open_what_is_joined
    ),
    "attempt": Amendment("biz_opaque_callback_data came without it", _attempt),
    "user id": Amendment("recipients by user id (`recipient`) are of 2026", _user_id),
    "marketing reply": Amendment("context is taken by both endpoints", _marketing_reply),
    "degrees": Amendment("the platform's page writes degrees as numbers, too", _degrees),
    "policy": Amendment("a language has no policy any more", _policy),
    "components": Amendment("carousels and limited-time offers are younger", _components),
    "header values": Amendment("places and products above a template are younger", _header_values),
    "button values": Amendment("so are the values of coupons, flows and catalogs", _button_values),
    "index": Amendment("buttons are counted from 0 to 9; the pattern is a slip", _index),
    "buttons": Amendment("coupons, flows and several products are younger", _buttons),
    "loud catalog": Amendment("the platform's page writes CATALOG", _loud_catalog),
    "interactive types": Amendment("links, requests and carousels are younger", _interactive_types),
    "actions": Amendment("so are their actions", _actions),
}
