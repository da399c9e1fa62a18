"""The words of thirteen languages that a STOP is made of; natives should review them.

English as Twilio, AWS, Braze, Telnyx have it (read 2026-11); the rest is ours. Written as people write; how
case, accents and signs are passed over is `keywords`'s to know.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words and phrases of one language, comma separated."""

    stop: str = ""
    """An opt-out, alone and in a sentence that says nothing else."""
    alone: str = ""
    """An opt-out as the whole message only: beside other words it may be of a basket or an appointment."""
    unsure: str = ""
    """One where the context makes it one, else worth a question."""
    refuse: str = ""
    """An opt-out beside what is refused: messages, not the blue one."""
    about: str = ""
    """What is refused."""
    glue: str = ""
    """What holds such a sentence together."""
    polite: str = ""
    """What may stand beside any of these."""


EVERYWHERE: Final = Vocabulary(
    stop="STOP, STOPALL, STOP ALL, OPTOUT, OPT-OUT",
    unsure="NO, FIN, CANCELAR, PARAR",  # French and Spanish; Spanish and Portuguese
    about="newsletter, newsletters, spam, whatsapp, marketing, promo, promos, sms, news, reklam",
    polite="ok, okay, please, thanks, thank you, hello, merci, ciao, sorry",
)

VOCABULARIES: Final = {
    "en": Vocabulary(
        stop="UNSUBSCRIBE, unsubscribe me, REMOVE ME, STOP PROMOTIONS, opt me out, take me off, "
        "unsubscribing, remove my number, delete my number",
        alone="REVOKE, REMOVE",
        unsure="CANCEL, END, QUIT, not interested, i am not interested, i'm not interested, leave me alone",
        refuse="no more, do not send, don't send, dont send, do not want, don't want, dont want, "
        "enough, cease, stop, delete me, do not message, don't message, dont message, "
        "not interested in, no longer want, quit",
        about="message, messages, messaging, msg, msgs, text, texts, texting, ad, ads, advert, "
        "adverts, promotion, promotions, promotional, advertising, advertisement, "
        "advertisements, offers, subscription, sending, spamming, writing, contacting, "
        "mailing list, mailings, notifications, updates, deals, stuff, things, numbers, promo, "
        "mails, emails",
        glue="me, my, it, this, that, these, those, all, your, you, us, send, from, to, the, list, "
        "number, i, want, would like, i'd like, wish, need, can, could, receive, receiving, "
        "getting, get, any, anymore, more, of, with, and, just, be, removed, at once",
        polite="pls, plz, thx, ty, hi, hey, now, right now, immediately, kindly, asap, dear, "
        "good morning, good evening, already, cheers, sir, madam",
    ),
    "fr": Vocabulary(
        stop="ARRET, ARRETER, ARRETEZ, arrête, DESABONNER, ME DESABONNER, désabonnez, désabonnement, "
        "désabonne, DESINSCRIRE, désinscrivez, désinscription, ARRETER LES PROMOTIONS, stoppez, "
        "ne m'écrivez plus, ne me contactez plus, supprimez mon numéro",
        unsure="ANNULER, non, assez, ça suffit, retirez moi, supprimez moi, enlevez moi, "
        "ça ne m'intéresse pas, pas intéressé, pas intéressée, je ne suis pas intéressé, "
        "laissez moi tranquille, foutez moi la paix",
        refuse="plus de, plus jamais de, ne veux plus, ne voulons plus, ne souhaite plus, "
        "ne m'envoyez plus, pas de, marre de, ne plus recevoir, n'envoyez plus, assez de",
        about="message, messages, pub, pubs, publicité, publicités, promotion, promotions, offres, "
        "abonnement, texto, textos, notifications, démarchage, liste, sms, mails, tout, "
        "courriels",
        glue="je, j', j'aimerais, me, m', moi, de, d', le, la, les, l', des, vos, votre, mon, ma, "
        "mes, à, tous, toutes, cette, ces, ça, du, veux, voudrais, souhaite, envoyer, envoi, "
        "envois, recevoir, la liste, commerciaux, ne, plus, et, aux, au, mon numéro, sur",
        polite="svp, stp, s'il vous plaît, s'il te plaît, bonjour, bonsoir, salut, tout de suite, "
        "maintenant, d'accord, merci beaucoup, merci d'avance, immédiatement, cordialement",
    ),
    "es": Vocabulary(
        stop="BAJA, DESUSCRIBIR, desuscribirme, desuscríbanme, desuscríbeme, NO MAS MENSAJES, "
        "DARME DE BAJA, dar de baja, denme de baja, dame de baja, DETENER PROMOCIONES, "
        "no me escriban, no me escriban más, no me escribas más, dejen de escribirme, "
        "deja de escribirme, bórrenme, no me contacten, borren mi número, eliminen mi número, "
        "quiten mi número",
        unsure="SALIR, ALTO, DETENER, basta, ya basta, paren, detengan, eliminar suscripción, "
        "no me interesa, no me interesan, no estoy interesado, no estoy interesada, no molesten, "
        "no molestar, déjenme en paz, déjame en paz",
        refuse="no más, no quiero, no quiero más, no deseo, no me envíen, no me envíen más, no envíen, "
        "no manden, no me manden, no me manden más, dejen de, deja de, ya no quiero, sin, "
        "basta de, quítenme, sáquenme",
        about="mensaje, mensajes, publicidad, promoción, promociones, ofertas, propaganda, "
        "suscripción, anuncios, enviar, mandar, enviarme, mandarme, escribir, molestar, lista, "
        "notificaciones, correos, sms, mails",
        glue="me, mi, mis, de, del, la, las, el, los, esta, este, estos, estas, sus, tus, quiero, "
        "quisiera, deseo, recibir, más, y, a, por, todos, todas, que",
        polite="por favor, porfa, xfa, porfavor, gracias, muchas gracias, hola, buenas, buenos días, "
        "buenas tardes, ya, ahora, inmediatamente, saludos",
    ),
    "it": Vocabulary(
        stop="DISISCRIVIMI, DISISCRIVI, disiscrivermi, disiscrivetemi, disiscrizione, CANCELLAMI, "
        "cancellatemi, cancellarmi, NON SCRIVETEMI PIÙ, non scrivetemi, non scrivermi più, "
        "non contattatemi più, INTERROMPI PROMOZIONI, toglietemi, toglimi, rimuovetemi, "
        "rimuovimi, disattivate, togliete il mio numero, cancellate il mio numero, "
        "rimuovete il mio numero",
        unsure="BASTA, ANNULLA, CANCELLA, FINE, smettetela, smettila, non mi interessa, "
        "non mi interessano, non sono interessato, non sono interessata, lasciatemi in pace, "
        "lasciami in pace",
        refuse="non voglio, non voglio più, non mandatemi, non mandatemi più, non mandate più, "
        "non inviatemi, non inviatemi più, non desidero, non desidero più, niente, no, "
        "smettete di, nessun, non inviate, revoco",
        about="messaggio, messaggi, pubblicità, promozione, promozioni, offerte, iscrizione, mandarmi, "
        "inviarmi, scrivermi, contattarmi, lista, notifiche, abbonamento, consenso, sms, mail, "
        "newsletter, comunicazioni",
        glue="mi, di, da, dal, dalla, della, dei, delle, la, le, il, i, gli, lo, vostra, vostre, "
        "vostri, più, questa, questi, queste, mia, mio, voglio, vorrei, desidero, ricevere, con, "
        "altri, altre, e, a, per, al",
        polite="grazie, grazie mille, per favore, perfavore, x favore, per piacere, per cortesia, "
        "buongiorno, buonasera, salve, subito, ora, adesso, cortesemente, cordiali saluti",
    ),
    "pt": Vocabulary(
        stop="DESCADASTRAR, descadastre, descadastro, descadastrem, descadastra, SAIR DA LISTA, "
        "PARAR PROMOCOES, cancelar inscrição, desinscrever, me tira da lista, me tirem da lista, "
        "me remova da lista, não me mande, não me mandem, não me escrevam, parem de me mandar, "
        "tirem meu número da lista, tira meu número da lista, removam meu número, "
        "apaguem meu número, me exclua, me excluam",
        unsure="PARE, SAIR, não, parem, chega, basta, remover, não tenho interesse, não me interessa, "
        "sem interesse, não estou interessado, não estou interessada, me deixem em paz, "
        "me deixa em paz, cancela, cancelem, cancele",
        refuse="não quero, não quero mais, não desejo mais, não me mande mais, não me mandem mais, "
        "não mande mais, não mandem mais, não envie mais, não enviem mais, não me enviem, "
        "chega de, sem, pare de, parem de",
        about="mensagem, mensagens, propaganda, propagandas, publicidade, promoção, promoções, "
        "ofertas, anúncios, inscrição, mandar, enviar, escrever, lista, assinatura, cadastro, "
        "sms, emails",
        glue="me, eu, de, da, do, das, dos, a, as, o, os, essa, essas, esse, esses, minha, meu, suas, "
        "seus, quero, gostaria, receber, mais, e, que, esta, estas, estes",
        polite="por favor, pfv, pf, obrigado, obrigada, muito obrigado, muito obrigada, olá, oi, "
        "bom dia, boa tarde, boa noite, agora, já, valeu",
    ),
    "de": Vocabulary(
        stop="ABMELDEN, abmeldung, melde mich ab, melden Sie mich ab, meldet mich ab, ABBESTELLEN, "
        "abbestellung, bestelle ab, STOPP, stoppen, WERBUNG STOPPEN, austragen, "
        "abonnement kündigen, nehmt mich, nehmen Sie mich, streicht mich, streichen Sie mich, "
        "entfernt mich, entfernen Sie mich, meine nummer löschen",
        unsure="ENDE, nein, aufhören, hört auf, hören Sie auf, schluss, es reicht, abbrechen, kündigen, "
        "kein interesse, habe kein interesse, nicht interessiert, lasst mich in ruhe, "
        "lassen Sie mich in ruhe",
        refuse="keine, keine weiteren, kein, nicht mehr, hört auf, hören Sie auf, aufhören, will keine, "
        "möchte keine, schluss mit, genug, unterlassen Sie, löschen Sie mich, löscht mich",
        about="werbung, nachricht, nachrichten, werbenachrichten, angebote, reklame, schreiben, "
        "anschreiben, schicken, senden, kontaktieren, verteiler, liste, abo, mitteilungen, "
        "mails, zu spammen, sms, newsletter, spam",
        glue="ich, mich, mir, uns, zu, den, die, das, der, dem, vom, von, aus, mit, diese, dieser, "
        "eure, ihre, mehr, will, möchte, wünsche, bekommen, erhalten, bitte, und, euch, sie, "
        "weitere",
        polite="bitte, danke, danke schön, dankeschön, vielen dank, hallo, guten tag, guten morgen, "
        "sofort, jetzt, mfg, hi, lieben dank",
    ),
    "nl": Vocabulary(
        stop="AFMELDEN, afmelding, meld me af, meld mij af, uitschrijven, uitschrijving, "
        "schrijf me uit, schrijf mij uit, stoppen, opzeggen, haal me, haal mij, "
        "verwijder mijn nummer, schrap me, uitgeschreven worden",
        unsure="nee, einde, genoeg, annuleren, ophouden, geen interesse, niet geïnteresseerd, "
        "ik heb geen interesse, laat me met rust, laat mij met rust",
        refuse="geen, niet meer, wil geen, hou op, houd op, ophouden, genoeg, verwijder mij, verwijder me",
        about="bericht, berichten, berichtjes, reclame, reclames, aanbiedingen, advertenties, sturen, "
        "schrijven, appen, nieuwsbrief, lijst, mailings, promoties, sms, sms'jes, mails",
        glue="ik, me, mij, mijn, wil, wens, graag, meer, van, voor, met, de, het, deze, die, jullie, "
        "uw, te, ontvangen, krijgen, naar, uit, en, zou",
        polite="aub, alstublieft, alsjeblieft, bedankt, dank je, dank u, dank je wel, dank u wel, "
        "dankjewel, hallo, hoi, goedemorgen, nu, direct, per direct, svp, graag",
    ),
    "pl": Vocabulary(
        stop="WYPISZ, wypisać, wypiszcie, wypisuję, WYPISZ MNIE, REZYGNUJE, rezygnacja, rezygnujemy, "
        "nie piszcie, nie pisz więcej, nie piszcie więcej, przestańcie pisać, usuń mnie, "
        "usuńcie mnie, anuluj subskrypcję, wyrejestruj, usunąć mnie, usunięcie z listy, "
        "skreślcie mnie, usuńcie mój numer, usuń mój numer",
        unsure="nie, koniec, dość, wystarczy, anuluj, wyłącz, przestań, przestańcie, "
        "nie jestem zainteresowany, nie jestem zainteresowana, nie interesuje mnie to, "
        "brak zainteresowania, dajcie mi spokój, daj mi spokój, zostawcie mnie",
        refuse="nie chcę, nie chcę więcej, nie życzę sobie, nie wysyłaj, nie wysyłajcie, nie wysyłać, "
        "nie przysyłaj, nie przysyłajcie, nie przysyłać, żadnych, bez, przestańcie, przestań, "
        "dość, koniec",
        about="wiadomość, wiadomości, reklama, reklamy, reklam, ofert, oferty, promocji, promocje, "
        "subskrypcja, subskrypcję, subskrypcji, newslettera, newsletterów, spamu, pisać, "
        "wysyłać, listy, smsów, powiadomień, smsy, sms, reklamom, maile, mailingu, spam",
        glue="mnie, mi, do, z, od, tych, te, ten, tej, waszych, więcej, już, chcę, chciałbym, "
        "chciałabym, się, otrzymywać, dostawać, i, z listy, sobie",
        polite="proszę, prosze, dziękuję, dzięki, dziękuje, cześć, hej, dzień dobry, witam, teraz, "
        "natychmiast, pozdrawiam",
    ),
    "ro": Vocabulary(
        stop="DEZABONARE, dezabonați, dezabonează, dezabonez, dezabona, dezabonați-mă, "
        "nu-mi mai scrieți, nu-mi mai scrie, anulare abonament, anulez abonamentul, ștergeți-mă, "
        "scoateți-mă, retrageți-mă, ștergeți numărul meu, eliminați-mă",
        unsure="nu, opriți, oprește, oprire, renunț, ajunge, anulare, încetați, terminați, "
        "nu sunt interesat, nu sunt interesată, nu mă interesează, lasați-mă în pace, "
        "lăsați-mă în pace, lasă-mă în pace",
        refuse="nu mai vreau, nu vreau, nu doresc, nu mai doresc, nu-mi mai trimiteți, nu-mi trimiteți, "
        "nu mai trimiteți, fără, gata cu, opriți, încetați, nu-mi mai trimite, ajunge cu",
        about="mesaj, mesaje, mesajele, reclamă, reclame, reclamele, publicitate, oferte, ofertele, "
        "promoții, promoțiile, abonament, abonamentul, notificări, listă, lista, spamul, smsuri, "
        "sms, spam",
        glue="mă, mi, îmi, să, de, la, din, pe, cu, aceste, acest, voastre, vreau, doresc, aș vrea, "
        "aș dori, primesc, primi, mai, și, alte, numărul meu",
        polite="vă rog, va rog, te rog, rog, mulțumesc, mersi, merci, bună, bună ziua, salut, acum, "
        "imediat, mulțumesc frumos",
    ),
    "tr": Vocabulary(
        stop="IPTAL, iptal et, iptal edin, RET, abonelikten çık, abonelikten çıkmak, üyelikten çık, "
        "üyelikten çıkmak, listeden çıkar, listeden çıkarın, listeden çıkmak, abonelik iptali, "
        "durdur, durdurun, listeden silin, listenizden silin, listenizden çıkarın, beni silin, "
        "numaramı silin, artık yazmayın, bana yazmayın",
        unsure="hayır, dur, yeter, vazgeç, istemiyorum, istemem, çık, çıkış, ilgilenmiyorum, "
        "ilgilenmiyoruz, beni rahat bırakın, rahatsız etmeyin",
        refuse="istemiyorum, istemem, istemiyoruz, göndermeyin, gönderme, göndermeyiniz, atmayın, atma, "
        "yazmayın, yollamayın, almak istemiyorum, yeter, kes, kesin",
        about="mesaj, mesajları, mesajlar, mesajı, reklam, reklamları, reklamlar, kampanya, abonelik, "
        "aboneliği, bildirim, tanıtım, sms, mesajlarınızı, numaramı, numaram, mesajlarınız",
        glue="bana, beni, bu, artık, daha, bir daha, fazla, istiyorum, rica ederim, almak, ben, hiç, da, de",
        polite="lütfen, teşekkürler, teşekkür ederim, sağol, sağolun, merhaba, selam, hemen, şimdi, "
        "artık, iyi günler, günaydın",
    ),
    "ru": Vocabulary(
        stop="ОТПИСАТЬСЯ, отпишите, отпиши, отписка, отписаться, отпишусь, отписываюсь, отписку, "
        "СТОП, прекратите, не пишите, не пиши, удалите меня, уберите меня, отмените подписку, "
        "отменить подписку, уберите мой номер, удалите мой номер, исключите меня",
        unsure="нет, хватит, довольно, отмена, отменить, конец, достаточно, не надо, больше не надо, "
        "не нужно, перестаньте, не интересно, не интересует, мне не интересно, неинтересно, "
        "оставьте меня в покое, отстаньте",
        refuse="не хочу, не хочу больше, не желаю, не присылайте, не присылайте больше, "
        "больше не присылайте, не шлите, не отправляйте, не надо, не нужно, без, хватит, "
        "перестаньте, прекратите, никаких",
        about="сообщение, сообщения, сообщений, реклама, рекламу, рекламы, рассылка, рассылку, "
        "рассылки, предложения, предложений, акции, спам, спама, присылать, писать, слать, "
        "списка, подписку, смс, уведомления",
        glue="мне, меня, от, из, эту, эти, этой, ваших, ваши, больше, вашей, хочу, хотел бы, "
        "хотела бы, получать, на, и, вы, я, нам, все",
        polite="пожалуйста, пж, плиз, спасибо, спс, здравствуйте, привет, добрый день, сейчас, "
        "немедленно, уже",
    ),
    "ar": Vocabulary(
        stop="إيقاف, إيقاف الرسائل, إلغاء الاشتراك, إلغاء اشتراكي, ألغوا اشتراكي, الغ الاشتراك, ستوب, "
        "إيقاف العروض الترويجية, لا تراسلوني, احذفوني, احذفني, أزيلوني, أوقفوا الرسائل, "
        "أوقف الرسائل, أزيلوا رقمي, احذفوا رقمي, إزالة رقمي, امسحوا رقمي",
        unsure="لا, توقف, توقفوا, قف, كفى, يكفي, إلغاء, غير مهتم, لست مهتما, لست مهتمة, غير مهتمة, "
        "اتركوني وشأني, لا تزعجوني",
        refuse="لا أريد, ما أريد, لا نريد, لا ترسلوا, لا ترسل, أوقفوا, أوقف, توقفوا عن, توقف عن, كفى, "
        "بدون, لا أرغب في, ما أبي, مش عايز, وقفوا",
        about="رسائل, الرسائل, رسالة, رسائلكم, رسائل أخرى, إعلانات, الإعلانات, إعلان, عروض, العروض, "
        "دعاية, الاشتراك, اشتراك, الإرسال, إرسال, مراسلتي, القائمة, رقمي, قائمتكم",
        glue="لي, إلي, من, عن, في, هذه, هذا, أريد, أرجو, بعد, الآن, أخرى, مزيد, المزيد, استلام, إرسال, رقمي",
        polite="من فضلك, لو سمحت, لو سمحتم, من فضلكم, رجاء, شكرا, شكرا لك, شكرا لكم, مرحبا, "
        "السلام عليكم, الآن, فورا, أهلا",
    ),
    "el": Vocabulary(
        stop="ΔΙΑΓΡΑΦΗ, διαγράψτε με, διαγραφώ, διέγραψέ με, απεγγραφή, απεγγραφώ, στοπ, "
        "μη μου γράφετε, μην μου γράφετε, μη με ενοχλείτε, μην με ενοχλείτε, διακοπή μηνυμάτων, "
        "αφαιρέστε με, βγάλτε με, διαγράψτε τον αριθμό μου, σβήστε με",
        unsure="όχι, τέλος, σταματήστε, σταμάτα, φτάνει, αρκετά, ακύρωση, διακοπή, έξοδος, "
        "δεν ενδιαφέρομαι, δεν με ενδιαφέρει, αφήστε με ήσυχο, αφήστε με ήσυχη",
        refuse="δεν θέλω, δε θέλω, μη μου στέλνετε, μην μου στέλνετε, μη στέλνετε, μην στέλνετε, "
        "σταματήστε, όχι άλλα, χωρίς, φτάνει, δεν επιθυμώ, διακόψτε",
        about="μήνυμα, μηνύματα, διαφήμιση, διαφημίσεις, προσφορές, προωθητικά, στέλνετε, γράφετε, "
        "ενημερώσεις, λίστα, συνδρομή, να στέλνετε, να γράφετε, sms, mail",
        glue="μου, με, να, από, τη, την, τις, τα, το, άλλα, άλλες, πια, πλέον, θέλω, θα ήθελα, "
        "λαμβάνω, σας, αυτά, αυτές, επιθυμώ, και, άλλο, στις, στα, στη, τον, αριθμό, δικό",
        polite="παρακαλώ, ευχαριστώ, ευχαριστώ πολύ, γεια, γεια σας, καλημέρα, καλησπέρα, τώρα, αμέσως, "
        "σας ευχαριστώ",
    ),
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
