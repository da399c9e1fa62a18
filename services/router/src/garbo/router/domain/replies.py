"""The few words the router itself says, in six languages; the business file may say them otherwise."""

from collections.abc import Mapping
from typing import Final

FALLBACK_LANGUAGE: Final = "en"

STOPPED: Final[Mapping[str, str]] = {
    "en": "You will get no more offers from us on WhatsApp. We still answer when you write. "
    "To get offers again, send START.",
    "it": "Non riceverai più nostre offerte su WhatsApp. Se ci scrivi, rispondiamo sempre. "
    "Per riceverle di nuovo, invia START.",
    "es": "No recibirás más ofertas nuestras por WhatsApp. Si nos escribes, te respondemos igualmente. "
    "Para recibirlas de nuevo, envía START.",
    "fr": "Vous ne recevrez plus nos offres sur WhatsApp. Si vous nous écrivez, nous répondons toujours. "
    "Pour les recevoir de nouveau, envoyez START.",
    "de": "Sie erhalten keine Angebote mehr von uns auf WhatsApp. Wenn Sie uns schreiben, antworten wir. "
    "Um wieder Angebote zu erhalten, senden Sie START.",
    "pt": "Não receberá mais as nossas ofertas no WhatsApp. Se nos escrever, respondemos na mesma. "
    "Para as receber de novo, envie START.",
}
QUESTION: Final[Mapping[str, str]] = {
    "en": "Do you want to get no more offers from us?",
    "it": "Non vuoi più ricevere le nostre offerte?",
    "es": "¿No quieres recibir más ofertas nuestras?",
    "fr": "Souhaitez-vous ne plus recevoir nos offres ?",
    "de": "Möchten Sie keine Angebote mehr von uns erhalten?",
    "pt": "Não quer receber mais as nossas ofertas?",
}
STOP: Final[Mapping[str, str]] = {
    "en": "No more offers",
    "it": "Niente più offerte",
    "es": "No más ofertas",
    "fr": "Plus d'offres, merci",
    "de": "Keine Angebote mehr",
    "pt": "Não quero ofertas",
}
KEEP: Final[Mapping[str, str]] = {
    "en": "Keep the offers",
    "it": "Voglio le offerte",
    "es": "Quiero ofertas",
    "fr": "Garder les offres",
    "de": "Angebote behalten",
    "pt": "Quero ofertas",
}


def in_language(shipped: Mapping[str, str], own: Mapping[str, str], *, wanted: tuple[str | None, ...]) -> str:
    """Give a text in the first wanted language there is one in; the business's own words come first."""
    for language in wanted:
        short = (language or "").replace("_", "-").partition("-")[0].lower()
        if text := own.get(short) or shipped.get(short):
            return text
    return own.get(FALLBACK_LANGUAGE) or shipped[FALLBACK_LANGUAGE]
