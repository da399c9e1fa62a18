"""English, German and Dutch: English as Twilio, AWS, Braze, Telnyx have it (read 2026-11), the rest ours."""

from typing import Final

from garbo.router.domain.vocabularies.vocabulary import Vocabulary

ENGLISH: Final = Vocabulary(
    stop=(
        "UNSUBSCRIBE, unsubscribe me, REMOVE ME, STOP PROMOTIONS, opt me out, take me off, "
        "unsubscribing, remove my number, delete my number, unsub, take my number off, i want out, "
        "no longer wish to receive, no longer want to receive, do not contact me, don't contact me, "
        "dont contact me, stop contacting me, do not text me, don't text me"
    ),
    alone="REVOKE, REMOVE",
    unsure="CANCEL, END, QUIT, not interested, i am not interested, i'm not interested, leave me alone",
    refuse=(
        "no more, do not send, don't send, dont send, do not want, don't want, dont want, enough, "
        "cease, stop, delete me, do not message, don't message, dont message, not interested in, "
        "no longer want, quit, no longer wish, do not text, don't text, no further, stop with"
    ),
    about=(
        "message, messages, messaging, msg, msgs, text, texts, texting, ad, ads, advert, adverts, "
        "promotion, promotions, promotional, advertising, advertisement, advertisements, offers, "
        "subscription, sending, spamming, writing, contacting, mailing list, mailings, "
        "notifications, updates, deals, stuff, things, numbers, promo, mails, emails, text me, "
        "message me, junk, whatsapps"
    ),
    glue=(
        "me, my, it, this, that, these, those, all, your, you, us, send, from, to, the, list, "
        "number, i, want, would like, i'd like, wish, need, can, could, receive, receiving, getting, "
        "get, any, anymore, more, of, with, and, just, be, removed, at once, w, again, ever, longer, "
        "so many, off, mailing"
    ),
    polite=(
        "pls, plz, thx, ty, hi, hey, now, right now, immediately, kindly, asap, dear, good morning, "
        "good evening, already, cheers, sir, madam, i'm done, im done, enough already"
    ),
)

GERMAN: Final = Vocabulary(
    stop=(
        "ABMELDEN, abmeldung, melde mich ab, melden Sie mich ab, meldet mich ab, ABBESTELLEN, "
        "abbestellung, bestelle ab, STOPP, stoppen, WERBUNG STOPPEN, austragen, abonnement kündigen, "
        "nehmt mich, nehmen Sie mich, streicht mich, streichen Sie mich, entfernt mich, "
        "entfernen Sie mich, meine nummer löschen, löschen Sie meine Nummer, löscht meine Nummer, "
        "bitte austragen, streicht meine Nummer, entfernt meine Nummer, entfernen Sie meine Nummer, "
        "tragt mich aus, tragen Sie mich aus, abmelde, bestellen Sie ab, schreibt mir nicht mehr, "
        "schreiben Sie mir nicht mehr, kontaktieren Sie mich nicht mehr, schickt mir nichts mehr, "
        "schicken Sie mir nichts mehr, nimm mich raus, nimm mich, nehmt mich raus, "
        "nicht mehr bekommen, nicht mehr erhalten, belästigt mich nicht, trag mich aus, "
        "meld mich ab, streich mich"
    ),
    unsure=(
        "ENDE, nein, aufhören, hört auf, hören Sie auf, schluss, es reicht, abbrechen, kündigen, "
        "kein interesse, habe kein interesse, nicht interessiert, lasst mich in ruhe, "
        "lassen Sie mich in ruhe"
    ),
    refuse=(
        "keine, keine weiteren, kein, nicht mehr, hört auf, hören Sie auf, aufhören, will keine, "
        "möchte keine, schluss mit, genug, unterlassen Sie, löschen Sie mich, löscht mich, "
        "wünsche keine, schickt mir keine, schicken Sie mir keine, sendet mir keine, "
        "senden Sie mir keine, schickt keine, senden Sie keine, stoppt, stoppen Sie, stop mit, "
        "hör auf"
    ),
    about=(
        "werbung, nachricht, nachrichten, werbenachrichten, angebote, reklame, schreiben, "
        "anschreiben, schicken, senden, kontaktieren, verteiler, liste, abo, mitteilungen, mails, "
        "zu spammen, sms, newsletter, spam, werbesms, benachrichtigungen, spammen, zu schreiben, "
        "zu schicken, zu senden, whatsapp nachrichten"
    ),
    glue=(
        "ich, mich, mir, uns, zu, den, die, das, der, dem, vom, von, aus, mit, diese, dieser, eure, "
        "ihre, mehr, will, möchte, wünsche, bekommen, erhalten, bitte, und, euch, sie, weitere, "
        "ihnen, ihrer, eurer, meine, nummer, werden, gestrichen, gelöscht, entfernt, solche, "
        "endlich, raus, runter, mailingliste"
    ),
    polite=(
        "bitte, danke, danke schön, dankeschön, vielen dank, hallo, guten tag, guten morgen, sofort, "
        "jetzt, mfg, hi, lieben dank"
    ),
)

DUTCH: Final = Vocabulary(
    stop=(
        "AFMELDEN, afmelding, meld me af, meld mij af, uitschrijven, uitschrijving, schrijf me uit, "
        "schrijf mij uit, stoppen, opzeggen, haal me, haal mij, verwijder mijn nummer, schrap me, "
        "uitgeschreven worden, uitschrijven graag, verwijder mijn gegevens, haal mijn nummer, "
        "app me niet meer, contacteer me niet meer, schrijf me niet meer, mij uitschrijven, "
        "me uitschrijven, me afmelden, mij afmelden, wis mijn nummer, stuur me niks meer, "
        "stuur mij niks meer, stuur me niets meer, stuur mij niets meer, schrijf me maar uit, "
        "niet meer ontvangen, niet meer krijgen, val me niet lastig, meld me maar af, "
        "schrap mijn nummer"
    ),
    unsure=(
        "nee, einde, genoeg, annuleren, ophouden, geen interesse, niet geïnteresseerd, "
        "ik heb geen interesse, laat me met rust, laat mij met rust"
    ),
    refuse=(
        "geen, niet meer, wil geen, hou op, houd op, ophouden, genoeg, verwijder mij, verwijder me, "
        "stuur geen, stuur me geen, stuur mij geen, wens geen, nooit meer, stop met, stoppen met"
    ),
    about=(
        "bericht, berichten, berichtjes, reclame, reclames, aanbiedingen, advertenties, sturen, "
        "schrijven, appen, nieuwsbrief, lijst, mailings, promoties, sms, sms'jes, mails, promo, "
        "spam, spammen, appjes, whatsapps, reclameberichten, mij te appen"
    ),
    glue=(
        "ik, me, mij, mijn, wil, wens, graag, meer, van, voor, met, de, het, deze, die, jullie, uw, "
        "te, ontvangen, krijgen, naar, uit, en, zou, wil je, kun je, kan je, wilt u, kunt u, nummer, "
        "worden, verwijderd, uw lijst, dit, maar, mailinglijst"
    ),
    polite=(
        "aub, alstublieft, alsjeblieft, bedankt, dank je, dank u, dank je wel, dank u wel, "
        "dankjewel, hallo, hoi, goedemorgen, nu, direct, per direct, svp, graag"
    ),
)
