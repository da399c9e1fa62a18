"""Contents of messages: good ones of every kind, and a way to change one field of them."""

import copy
from typing import Any, Final

Json = dict[str, Any]
Path = tuple[str | int, ...]
LINK: Final = "https://shop.example/a"


def interactive(kind: str, action: Json, **more: object) -> Json:
    block = {"type": kind, "body": {"text": "Which?"}, "footer": {"text": "Acme"}, "action": action}
    return {"type": "interactive", "interactive": block | more}


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
CARD: Final[Json] = {
    "name": {"formatted_name": "Ada Rossi", "first_name": "Ada"},
    "phones": [{"phone": "+39 333 1234567", "type": "WORK", "wa_id": "393331234567"}],
    "emails": [{"email": "ada@shop.example", "type": "WORK"}],
    "addresses": [{"street": "Via Roma 1", "city": "Torino", "country_code": "IT", "type": "WORK"}],
    "urls": [{"url": LINK, "type": "WORK"}],
    "org": {"company": "Acme"},
    "birthday": "1990-02-28",
}
GOOD: Final[dict[str, Json]] = {
    "text": {"type": "text", "text": {"body": "hello"}},
    "template": template(HEADER, BODY, BUTTON),
    "image": {"type": "image", "image": {"link": LINK, "caption": "a"}},
    "video": {"type": "video", "video": {"id": "77", "caption": "a"}},
    "audio": {"type": "audio", "audio": {"id": "77"}},
    "document": {"type": "document", "document": {"link": LINK, "caption": "a", "filename": "a.pdf"}},
    "sticker": {"type": "sticker", "sticker": {"link": LINK}},
    "contacts": {"type": "contacts", "contacts": [CARD]},
    "location": {"type": "location", "location": {"latitude": 45.4, "longitude": 9.2, "name": "Shop"}},
    "reaction": {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍🏽"}},
    "buttons": interactive("button", BUTTONS, header={"type": "text", "text": "Sale"}),
    "list": interactive("list", ROWS),
    "link": interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "Track", "url": LINK}}),
    "flow": interactive("flow", FLOW),
    "products": interactive("product_list", PRODUCTS, header={"type": "text", "text": "Shoes"}),
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


N, T = ("interactive",), ("template", "components")
H = (*T, 0, "parameters")
B, S, R = (*N, "action", "buttons"), (*N, "action", "sections"), (*N, "action", "sections", 0, "rows", 0)
LIMITS: Final[list[tuple[str, Path, int]]] = [
    ("text", ("text", "body"), 4096),
    ("image", ("image", "caption"), 1024),
    ("video", ("video", "caption"), 1024),
    ("document", ("document", "caption"), 1024),
    ("document", ("document", "filename"), 240),
    ("buttons", (*B, 0, "reply", "title"), 20),
    ("buttons", (*B, 0, "reply", "id"), 256),
    ("buttons", (*N, "header", "text"), 60),
    ("buttons", (*N, "body", "text"), 1024),
    ("buttons", (*N, "footer", "text"), 60),
    ("list", (*N, "action", "button"), 20),
    ("list", (*S, 0, "title"), 24),
    ("list", (*R, "title"), 24),
    ("list", (*R, "description"), 72),
    ("list", (*R, "id"), 200),
    ("link", (*N, "action", "parameters", "display_text"), 20),
    ("flow", (*N, "action", "parameters", "flow_cta"), 30),
    ("template", (*T, 1, "parameters", 0, "text"), 1024),
    ("template", (*T, 0, "parameters", 0, "text"), 60),
]
"""Texts people see, and ids: how many characters each may have."""
BLANKS: Final = [
    *(" ", "\n", "\t", "   ", "\u00a0", "\u3000", "\u2003", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"),
    *("\u2800", "\u3164", "\u115f", "\uffa0", "\u180e", "\u034f", "\ufe0f", "\u2028", "\x00", "\U000e0020"),
    " \u200b\n\u3000",
]
ODD_VALUES: Final = [
    "a\nb",
    "a\tb",
    "a\r\nb",
    "a\vb",
    "a\u2028b",
    "\nab",
    "ab\n",
    "a     b",
    "a" + "\u00a0" * 5,
]
"""What no parameter of a template may hold."""
WRONG: Final[list[tuple[str, Path, object, Path]]] = [
    ("image", ("image", "id"), "77", ("image",)),
    ("image", ("image", "link"), GONE, ("image",)),
    ("image", ("image", "link"), "ftp://shop.example/a", ("image", "link")),
    ("image", ("image", "link"), "https://", ("image", "link")),
    ("image", ("image", "link"), "https://shop.example/a b", ("image", "link")),
    ("image", ("image", "link"), "https://s.example/" + "a" * 2048, ("image", "link")),
    ("image", ("image", "filename"), "a.png", ("image", "filename")),
    ("video", ("video", "id"), "", ("video", "id")),
    ("video", ("video", "filename"), "a.mp4", ("video", "filename")),
    ("audio", ("audio", "caption"), "a", ("audio", "caption")),
    ("audio", ("audio", "filename"), "a", ("audio", "filename")),
    ("sticker", ("sticker", "caption"), "a", ("sticker", "caption")),
    ("sticker", ("sticker", "id"), "77", ("sticker",)),
    ("document", ("document", "link"), GONE, ("document",)),
    ("buttons", B, [], B),
    ("buttons", (*B, 2), BUTTONS["buttons"][0], (*B, 2, "reply", "id")),
    ("buttons", (*B, 1, "reply", "title"), "Yes", (*B, 1, "reply", "title")),
    ("buttons", B, [{"type": "reply", "reply": {"id": f"{n}", "title": f"{n}"}} for n in range(4)], B),
    ("buttons", (*B, 0, "type"), "url", (*B, 0, "type")),
    ("buttons", (*B, 0, "reply", "id"), " yes", (*B, 0, "reply", "id")),
    ("buttons", (*N, "body"), GONE, (*N, "body")),
    ("buttons", (*N, "action"), GONE, (*N, "action")),
    ("buttons", (*N, "header", "text"), GONE, (*N, "header", "text")),
    ("buttons", (*N, "header"), {"type": "image", "image": {}}, (*N, "header", "image")),
    ("list", (*N, "action", "button"), GONE, (*N, "action", "button")),
    ("list", S, [], S),
    ("list", S, [{"rows": ROWS["sections"][0]["rows"]}] * 2, (*S, 0, "title")),
    ("list", (*S, 0, "rows"), [{"id": f"{n}", "title": "x"} for n in range(11)], (*S, 0, "rows")),
    ("list", (*S, 0, "rows"), [{"id": "s", "title": "x"}] * 2, S),
    ("list", (*S, 0, "rows"), [], (*S, 0, "rows")),
    ("link", (*N, "action", "parameters", "url"), "shop.example", (*N, "action", "parameters", "url")),
    ("link", (*N, "action", "name"), "link", (*N, "action", "name")),
    ("flow", (*N, "action", "parameters", "flow_name"), "x", (*N, "action", "parameters")),
    ("products", (*N, "header"), GONE, (*N, "header")),
    ("products", (*S, 0, "product_items"), [], (*S, 0, "product_items")),
    ("contacts", ("contacts",), [], ("contacts",)),
    ("contacts", ("contacts",), [CARD] * 6, ("contacts",)),
    ("contacts", ("contacts", 0, "name"), GONE, ("contacts", 0, "name")),
    ("contacts", ("contacts", 0, "name"), {"formatted_name": "Ada"}, ("contacts", 0, "name")),
    ("contacts", ("contacts", 0, "phones", 0, "phone"), "", ("contacts", 0, "phones", 0, "phone")),
    ("contacts", ("contacts", 0, "phones", 0, "type"), "FAX", ("contacts", 0, "phones", 0, "type")),
    ("contacts", ("contacts", 0, "birthday"), "28/02/1990", ("contacts", 0, "birthday")),
    ("contacts", ("contacts", 0, "emails", 0, "email"), "ada", ("contacts", 0, "emails", 0, "email")),
    ("location", ("location", "latitude"), 90.1, ("location", "latitude")),
    ("location", ("location", "longitude"), GONE, ("location", "longitude")),
    ("location", ("location", "longitude"), "east", ("location", "longitude")),
    ("reaction", ("reaction", "message_id"), "", ("reaction", "message_id")),
    ("reaction", ("reaction", "emoji"), "nice", ("reaction", "emoji")),
    ("reaction", ("reaction", "emoji"), GONE, ("reaction", "emoji")),
    ("template", (*T, 1, "parameters", 0, "text"), "", (*T, 1, "parameters", 0, "text")),
    ("template", (*T, 1, "parameters", 0, "text"), GONE, (*T, 1, "parameters", 0, "text")),
    ("template", (*T, 1, "parameters", 0, "type"), GONE, (*T, 1, "parameters", 0, "type")),
    ("template", (*T, 1, "parameters"), "Ada", (*T, 1, "parameters")),
    ("template", (*T, 2, "index"), "10", (*T, 2, "index")),
    ("template", (*T, 2, "sub_type"), GONE, (*T, 2, "sub_type")),
    ("template", (*T, 2, "parameters"), [], (*T, 2, "parameters")),
    ("template", (*H, 0), {"type": "image", "image": {}}, (*H, 0, "image")),
]
"""What the platform surely refuses: the content, the field that is changed, to what, and the field named."""
