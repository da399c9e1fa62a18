"""The words that mean something to promo, in all languages.

Written as people write; how case, accents and signs are passed over is `keywords`'s to know.
"""

from typing import Final

from garbo.router.domain.vocabularies.further import ARABIC, GREEK, POLISH, RUSSIAN, TURKISH
from garbo.router.domain.vocabularies.germanic import DUTCH, ENGLISH, GERMAN
from garbo.router.domain.vocabularies.romance import FRENCH, ITALIAN, PORTUGUESE, ROMANIAN, SPANISH
from garbo.router.domain.vocabularies.vocabulary import Vocabulary

EVERYWHERE: Final = Vocabulary(
    stop="STOP, STOPALL, STOP ALL, OPTOUT, OPT-OUT",
    unsure="NO, FIN, CANCELAR, PARAR",  # French and Spanish; Spanish and Portuguese
    about="newsletter, newsletters, spam, whatsapp, marketing, promo, promos, sms, news, reklam",
    polite="ok, okay, please, thanks, thank you, hello, merci, ciao, sorry",
)

VOCABULARIES: Final = {
    "en": ENGLISH,
    "fr": FRENCH,
    "es": SPANISH,
    "it": ITALIAN,
    "pt": PORTUGUESE,
    "de": GERMAN,
    "nl": DUTCH,
    "pl": POLISH,
    "ro": ROMANIAN,
    "tr": TURKISH,
    "ru": RUSSIAN,
    "ar": ARABIC,
    "el": GREEK,
}

START: Final = (
    (None, "START, UNSTOP, OPT-IN, OPTIN"),
    ("en", "RESUME, SUBSCRIBE"),
    ("it", "RIATTIVA, RIPRENDI, ISCRIVIMI"),
    ("fr", "REPRENDRE, ABONNER"),
    ("es", "REANUDAR, SUSCRIBIR, ALTA"),
    ("pt", "RETOMAR, CADASTRAR"),
    ("de", "STARTEN, ANMELDEN"),
    ("ru", "СТАРТ"),
)
"""Lifts a STOP; as the whole message only."""
CONFIRM: Final = (
    ("en", "CONFIRM, I CONFIRM"),
    ("it", "CONFERMO, CONFERMA"),
    ("fr", "JE CONFIRME, CONFIRMER"),
    ("es", "CONFIRMO, CONFIRMAR"),
    ("de", "BESTATIGEN, ICH BESTATIGE"),
)
"""Says yes to an opt-in that was asked for; as the whole message only."""
NEITHER: Final = "non stop"
"""Says what does not end, in many languages."""
PLATFORM_TITLES: Final = (
    "Stop promotions, Interrompi promozioni, Arrêter les promotions, Detener promociones, Parar promoções, "
    "Interromper promoções, Werbung stoppen, Promoties stoppen, Zatrzymaj promocje, Oprește promoțiile, "
    "Promosyonları durdur, Остановить рекламу, إيقاف العروض الترويجية, Διακοπή προωθήσεων"
)
"""The platform's own opt-out button of marketing templates; it sends its title as its payload (Meta,
marketing templates, read 2026-11; the titles beside the English one are ours to be reviewed)."""
