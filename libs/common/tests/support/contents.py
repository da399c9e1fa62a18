"""Contents of messages: good ones of every kind, and a way to change one field of them."""

import copy
from typing import Any, Final

Json = dict[str, Any]
Path = tuple[str | int, ...]
LINK: Final = "https://shop.example/a"


def interactive(kind: str, action: Json, **more: object) -> Json:
    block = {"type": kind, "body": {"text": "Which?"}, "footer": {"text": "Acme"}, "action": action}
    return {"type": "interactive", "interactive": block | more}


def carousel(action: Json) -> Json:
    block = {"type": "carousel", "body": {"text": "Which?"}, "action": action}
    return {"type": "interactive", "interactive": block}


def template(*components: Json) -> Json:
    block = {"name": "order_shipped", "language": {"code": "it"}, "components": list(components)}
    return {"type": "template", "template": block}


BODY: Final[Json] = {"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}
HEADER: Final[Json] = {"type": "header", "parameters": [{"type": "text", "text": "Hello"}]}
BUTTON: Final[Json] = {
    "type": "button",
    "sub_type": "url",
    "index": "0",
    "parameters": [{"type": "text", "text": "a1"}],
}
BUTTONS: Final[Json] = {
    "buttons": [
        {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
        {"type": "reply", "reply": {"id": "no", "title": "No"}},
    ]
}
ROWS: Final[Json] = {
    "button": "Choose",
    "sections": [{"title": "Sizes", "rows": [{"id": "s", "title": "Small", "description": "To 40"}]}],
}
FLOW: Final[Json] = {
    "name": "flow",
    "parameters": {"flow_message_version": "3", "flow_id": "7", "flow_cta": "Book"},
}
PRODUCTS: Final[Json] = {
    "catalog_id": "7",
    "sections": [{"title": "Shoes", "product_items": [{"product_retailer_id": "p"}]}],
}
CATALOG: Final[Json] = {
    "name": "catalog_message",
    "parameters": {"thumbnail_product_retailer_id": "p"},
}
CARD: Final[Json] = {
    "name": {"formatted_name": "Ada Rossi", "first_name": "Ada"},
    "phones": [{"phone": "+39 333 1234567", "type": "WORK", "wa_id": "393331234567"}],
    "emails": [{"email": "ada@shop.example", "type": "WORK"}],
    "addresses": [{"street": "Via Roma 1", "city": "Torino", "country_code": "IT", "type": "WORK"}],
    "urls": [{"url": LINK, "type": "WORK"}],
    "org": {"company": "Acme"},
    "birthday": "1990-02-28",
}
CARDS: Final[Json] = {
    "cards": [
        {
            "card_index": n,
            "type": "cta_url",
            "header": {"type": "image", "image": {"link": LINK}},
            "body": {"text": "Red\n\nBlue"},
            "action": {"name": "cta_url", "parameters": {"display_text": "Buy", "url": LINK}},
        }
        for n in range(2)
    ]
}
PRESSED: Final[Json] = {
    "cards": [
        {
            "card_index": n,
            "header": {"type": "video", "video": {"id": "77"}},
            "action": {
                "buttons": [
                    {"type": "quick_reply", "quick_reply": {"id": f"{n}{b}", "title": f"Ask {b}"}}
                    for b in range(2)
                ]
            },
        }
        for n in range(2)
    ]
}
ON_SALE: Final[Json] = {
    "cards": [
        {
            "card_index": n,
            "type": "product",
            "action": {"catalog_id": "7", "product_retailer_id": f"p{n}"},
        }
        for n in range(2)
    ]
}


def above(kind: str, value: Json) -> Json:
    return {"type": "header", "parameters": [{"type": kind, kind: value}]}


def button(index: int, kind: str, **value: object) -> Json:
    return {"type": "button", "sub_type": kind, "index": index, "parameters": [value]}


def cards(*components: Json) -> Json:
    return {
        "type": "carousel",
        "cards": [{"card_index": n, "components": copy.deepcopy(list(components))} for n in range(2)],
    }


PLACE: Final[Json] = {"latitude": 45.4, "longitude": 9.2, "name": "Shop", "address": "Via Roma 1"}
SOLD: Final[Json] = {
    "thumbnail_product_retailer_id": "p",
    "sections": [{"title": "Shoes", "product_items": [{"product_retailer_id": "p"}]}],
}
NAMED: Final[Json] = {
    "type": "body",
    "parameters": [{"type": "text", "parameter_name": "who", "text": "Ada"}],
}
OFFER: Final[Json] = {
    "type": "limited_time_offer",
    "parameters": [
        {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1784560000000}}
    ],
}
GOOD: Final[dict[str, Json]] = {
    "text": {"type": "text", "text": {"body": "hello"}},
    "preview": {"type": "text", "text": {"body": f"see {LINK}", "preview_url": True}},
    "template": template(HEADER, BODY, BUTTON),
    "image": {"type": "image", "image": {"link": LINK, "caption": "a"}},
    "video": {"type": "video", "video": {"id": "77", "caption": "a"}},
    "audio": {"type": "audio", "audio": {"id": "77"}},
    "voice": {"type": "audio", "audio": {"link": LINK, "voice": True}},
    "document": {"type": "document", "document": {"link": LINK, "caption": "a", "filename": "a.pdf"}},
    "sticker": {"type": "sticker", "sticker": {"link": LINK}},
    "contacts": {"type": "contacts", "contacts": [CARD]},
    "location": {"type": "location", "location": {"latitude": 45.4, "longitude": 9.2, "name": "Shop"}},
    "reaction": {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍🏽"}},
    "no_reaction": {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": ""}},
    "buttons": interactive("button", BUTTONS, header={"type": "text", "text": "Sale"}),
    "list": interactive("list", ROWS),
    "link": interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "Track", "url": LINK}}),
    "flow": interactive("flow", FLOW),
    "product": interactive("product", {"catalog_id": "7", "product_retailer_id": "p"}),
    "products": interactive("product_list", PRODUCTS, header={"type": "text", "text": "Shoes"}),
    "catalog": interactive("catalog_message", CATALOG),
    "carousel": carousel(CARDS),
    "pressed_carousel": carousel(PRESSED),
    "product_carousel": carousel(ON_SALE),
    "location_request": interactive("location_request_message", {"name": "send_location"}),
    "contact_request": interactive("request_contact_info", {"name": "request_contact_info"}),
    "call_permission": interactive("call_permission_request", {"name": "call_permission_request"}),
    "template_named": template(NAMED),
    "template_image": template(above("image", {"link": LINK}), BODY),
    "template_document": template(above("document", {"id": "77", "filename": "a.pdf"}), BODY),
    "template_place": template(above("location", PLACE), BODY),
    "template_product": template(above("product", {"product_retailer_id": "p", "catalog_id": "7"}), BODY),
    "template_reply": template(BODY, button(0, "quick_reply", type="payload", payload="yes")),
    "template_coupon": template(BODY, button(0, "copy_code", type="coupon_code", coupon_code="SAVE25")),
    "template_offer": template(OFFER, BODY, button(0, "copy_code", type="coupon_code", coupon_code="SAVE25")),
    "template_flow": template(BODY, button(0, "flow", type="action", action={"flow_token": "t"})),
    "template_catalog": template(
        BODY, button(0, "CATALOG", type="action", action={"thumbnail_product_retailer_id": "p"})
    ),
    "template_products": template(BODY, button(0, "mpm", type="action", action=SOLD)),
    "template_password": template(BODY, button(0, "url", type="text", text="123456")),
    "template_carousel": template(
        BODY,
        cards(above("image", {"id": "77"}), button(0, "quick_reply", type="payload", payload="a")),
    ),
}
GONE: Final = object()
"""In `changed`: the field is taken out."""


def changed(content: Json, path: Path, value: object) -> Json:
    """Copy a content with one field set, or taken out."""
    whole = copy.deepcopy(content)
    holder: Any = whole
    for step in path[:-1]:
        holder = holder[step]
    if value is GONE:
        del holder[path[-1]]
    elif isinstance(holder, list) and path[-1] == len(holder):
        holder.append(value)
    else:
        holder[path[-1]] = value
    return whole


ODD: Final[tuple[object, ...]] = (
    *(GONE, None, 7, -1, 1.5, True, "", " ", "x" * 5000, LINK, [], {}, {"unknown": 1}),
)
"""Values that are seldom right."""


def oddly_changed(content: Json) -> list[Json]:
    """Copy a content with each place in it made each odd value."""
    kind = content["type"]
    return [changed(content, place, value) for place in places_in(content[kind], (kind,)) for value in ODD]


def places_in(value: object, at: Path) -> list[Path]:
    """Give the place of everything inside, with what is inside of that."""
    if isinstance(value, dict):
        return [place for key, one in value.items() for place in [(*at, key), *places_in(one, (*at, key))]]
    if isinstance(value, list):
        return [place for n, one in enumerate(value) for place in [(*at, n), *places_in(one, (*at, n))]]
    return []
