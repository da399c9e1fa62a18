"""French, Spanish, Italian, Portuguese and Romanian."""

from typing import Final

from garbo.router.domain.vocabularies.vocabulary import Vocabulary

FRENCH: Final = Vocabulary(
    stop=(
        "ARRET, ARRETER, ARRETEZ, arrête, DESABONNER, ME DESABONNER, désabonnez, désabonnement, "
        "désabonne, DESINSCRIRE, désinscrivez, désinscription, ARRETER LES PROMOTIONS, stoppez, "
        "ne m'écrivez plus, ne me contactez plus, supprimez mon numéro, retirez mon numéro, "
        "effacez mon numéro, me retirer de la liste, me supprimer de la liste, me désinscrire, "
        "me retirer de votre liste, je me désabonne, ne m'envoyez plus rien, ne m'envoyez rien, "
        "n'envoyez plus rien, ne m'écrivez plus jamais, ne me contactez plus jamais, "
        "ne m'envoyez plus jamais, ne veux plus en recevoir, ne souhaite plus en recevoir, "
        "ne me dérangez plus"
    ),
    unsure=(
        "ANNULER, non, assez, ça suffit, retirez moi, supprimez moi, enlevez moi, "
        "ça ne m'intéresse pas, pas intéressé, pas intéressée, je ne suis pas intéressé, "
        "laissez moi tranquille, foutez moi la paix"
    ),
    refuse=(
        "plus de, plus jamais de, ne veux plus, ne voulons plus, ne souhaite plus, "
        "ne m'envoyez plus, pas de, marre de, ne plus recevoir, n'envoyez plus, assez de, "
        "ne m'envoyez pas, ne pas recevoir, arrêtez de m'envoyer, arrêtez de, arrêtez les, "
        "arrêtez avec, cessez de, ne désire plus, stop à, stop aux"
    ),
    about=(
        "message, messages, pub, pubs, publicité, publicités, promotion, promotions, offres, "
        "abonnement, texto, textos, notifications, démarchage, liste, sms, mails, tout, courriels, "
        "publicitaires, promotionnels, promo, démarchages, spams, contacter, me contacter"
    ),
    glue=(
        "je, j', j'aimerais, me, m', moi, de, d', le, la, les, l', des, vos, votre, mon, ma, mes, à, "
        "tous, toutes, cette, ces, ça, du, veux, voudrais, souhaite, envoyer, envoi, envois, "
        "recevoir, la liste, commerciaux, ne, plus, et, aux, au, mon numéro, sur, veuillez, "
        "merci de, prière de, vous, être, retiré, retirée, désabonné, désabonnée, numéro, n', "
        "autres, d'autres, dorénavant"
    ),
    polite=(
        "svp, stp, s'il vous plaît, s'il te plaît, bonjour, bonsoir, salut, tout de suite, "
        "maintenant, d'accord, merci beaucoup, merci d'avance, immédiatement, cordialement"
    ),
)

SPANISH: Final = Vocabulary(
    stop=(
        "BAJA, DESUSCRIBIR, desuscribirme, desuscríbanme, desuscríbeme, NO MAS MENSAJES, "
        "DARME DE BAJA, dar de baja, denme de baja, dame de baja, DETENER PROMOCIONES, "
        "no me escriban, no me escriban más, no me escribas más, dejen de escribirme, "
        "deja de escribirme, bórrenme, no me contacten, borren mi número, eliminen mi número, "
        "quiten mi número, no me escribas, no me manden nada, no me envíen nada, "
        "no me manden más nada, ya no me manden nada, ya no me envíen nada, elimínenme, retírenme, "
        "saquen mi número, borra mi número, elimina mi número, salir de la lista, "
        "cancelar mi suscripción, cancelar suscripción, anular suscripción, que me borren, "
        "que me eliminen, que me quiten, no quiero recibir más, no deseo recibir más, "
        "no me molesten más, bórrame, elimíname, quítame de la lista"
    ),
    unsure=(
        "SALIR, ALTO, DETENER, basta, ya basta, paren, detengan, eliminar suscripción, "
        "no me interesa, no me interesan, no estoy interesado, no estoy interesada, no molesten, "
        "no molestar, déjenme en paz, déjame en paz"
    ),
    refuse=(
        "no más, no quiero, no quiero más, no deseo, no me envíen, no me envíen más, no envíen, "
        "no manden, no me manden, no me manden más, dejen de, deja de, ya no quiero, sin, basta de, "
        "quítenme, sáquenme, no envíen más, no manden más, no me mandes, no me mandes más, "
        "no me envíes, no me envíes más, ya no me manden, ya no me envíen, ya no deseo, "
        "no deseo recibir, paren de, dejar de, stop a"
    ),
    about=(
        "mensaje, mensajes, publicidad, promoción, promociones, ofertas, propaganda, suscripción, "
        "anuncios, enviar, mandar, enviarme, mandarme, escribir, molestar, lista, notificaciones, "
        "correos, sms, mails, promos, promocionales, publicitarios, spam, contactarme, escribirme, "
        "campañas"
    ),
    glue=(
        "me, mi, mis, de, del, la, las, el, los, esta, este, estos, estas, sus, tus, quiero, "
        "quisiera, deseo, recibir, más, y, a, por, todos, todas, que, les, pido, ruego, ser, "
        "eliminado, eliminada, nunca, ninguna, otros, otras, número, su, tu, quiero que"
    ),
    polite=(
        "por favor, porfa, xfa, porfavor, gracias, muchas gracias, hola, buenas, buenos días, "
        "buenas tardes, ya, ahora, inmediatamente, saludos"
    ),
)

ITALIAN: Final = Vocabulary(
    stop=(
        "DISISCRIVIMI, DISISCRIVI, disiscrivermi, disiscrivetemi, disiscrizione, CANCELLAMI, "
        "cancellatemi, cancellarmi, NON SCRIVETEMI PIÙ, non scrivetemi, non scrivermi più, "
        "non contattatemi più, INTERROMPI PROMOZIONI, toglietemi, toglimi, rimuovetemi, rimuovimi, "
        "disattivate, togliete il mio numero, cancellate il mio numero, rimuovete il mio numero, "
        "non mi scrivete più, non mi scrivete, non mi contattate, voglio cancellarmi, eliminatemi, "
        "disiscriversi, eliminate il mio numero, cancellate i miei dati, non inviatemi più niente, "
        "non inviatemi niente, non mandatemi più niente, non mandatemi niente, "
        "non mi mandate più niente, non mandatemi più nulla, cancellate il mio contatto, "
        "non voglio più ricevere, non desidero più ricevere, non voglio più riceverli, "
        "non disturbatemi più, non disturbatemi, "
        "essere rimosso, essere rimossa, essere cancellato, essere cancellata"
    ),
    unsure=(
        "BASTA, ANNULLA, CANCELLA, FINE, smettetela, smettila, non mi interessa, non mi interessano, "
        "non sono interessato, non sono interessata, lasciatemi in pace, lasciami in pace"
    ),
    refuse=(
        "non voglio, non voglio più, non mandatemi, non mandatemi più, non mandate più, "
        "non inviatemi, non inviatemi più, non desidero, non desidero più, niente, no, smettete di, "
        "nessun, non inviate, revoco, non mandarmi, non mandarmi più, non inviarmi, "
        "non inviarmi più, non inviate più, non vorrei più, stop a, stop con, non mi mandate, "
        "non mi mandate più, non mi inviate, non mi inviate più, basta con"
    ),
    about=(
        "messaggio, messaggi, pubblicità, promozione, promozioni, offerte, iscrizione, mandarmi, "
        "inviarmi, scrivermi, contattarmi, lista, notifiche, abbonamento, consenso, sms, mail, "
        "newsletter, comunicazioni, promo, pubblicitari, promozionali"
    ),
    glue=(
        "mi, di, da, dal, dalla, della, dei, delle, la, le, il, i, gli, lo, vostra, vostre, vostri, "
        "più, questa, questi, queste, mia, mio, voglio, vorrei, desidero, ricevere, con, altri, "
        "altre, e, a, per, al, vi, prego, mai, numero, nessuna, dell, dall, essere, rimosso, "
        "rimossa, cancellato, cancellata, nome, tra, vs, questo numero"
    ),
    polite=(
        "grazie, grazie mille, per favore, perfavore, x favore, per piacere, per cortesia, "
        "buongiorno, buonasera, salve, subito, ora, adesso, cortesemente, cordiali saluti"
    ),
)

PORTUGUESE: Final = Vocabulary(
    stop=(
        "DESCADASTRAR, descadastre, descadastro, descadastrem, descadastra, SAIR DA LISTA, "
        "PARAR PROMOCOES, cancelar inscrição, desinscrever, me tira da lista, me tirem da lista, "
        "me remova da lista, não me mande, não me mandem, não me escrevam, parem de me mandar, "
        "tirem meu número da lista, tira meu número da lista, removam meu número, "
        "apaguem meu número, me exclua, me excluam, me remova, me removam, me remover, quero sair, "
        "quero sair da lista, me descadastre, me descadastrem, me retirem, me retira, "
        "remova meu número, retirem meu número, exclua meu número, não me contatem, não me contate, "
        "não me mandem nada, não me mande nada, não me mande mais nada, não me mandem mais nada, "
        "não me envie mais nada, não me escreva, remover meu número, cancelar minha inscrição, "
        "cancelar assinatura, tira meu número, não me perturbe, não me perturbe mais, "
        "não me incomode mais, não me incomodem mais, não quero mais receber, me apaga da lista, "
        "me apaguem, bloquear mensagens, "
        "me tira dessa lista, me tira desta lista, me tirem dessa lista"
    ),
    unsure=(
        "PARE, SAIR, não, parem, chega, basta, remover, não tenho interesse, não me interessa, "
        "sem interesse, não estou interessado, não estou interessada, me deixem em paz, "
        "me deixa em paz, cancela, cancelem, cancele"
    ),
    refuse=(
        "não quero, não quero mais, não desejo mais, não me mande mais, não me mandem mais, "
        "não mande mais, não mandem mais, não envie mais, não enviem mais, não me enviem, chega de, "
        "sem, pare de, parem de, não me envie, não me envie mais, não me enviem mais, chega com, "
        "para de, parem com, pare com, parar de, stop com, deixem de, deixe de"
    ),
    about=(
        "mensagem, mensagens, propaganda, propagandas, publicidade, promoção, promoções, ofertas, "
        "anúncios, inscrição, mandar, enviar, escrever, lista, assinatura, cadastro, sms, emails, "
        "promocionais, spam, divulgação, campanhas, me contatar"
    ),
    glue=(
        "me, eu, de, da, do, das, dos, a, as, o, os, essa, essas, esse, esses, minha, meu, suas, "
        "seus, quero, gostaria, receber, mais, e, que, esta, estas, estes, mim, ser, removido, "
        "removida, outras, outros, nunca, número, do meu, gentileza, mandando, me mandar, me enviar, "
        "dessa, desse, desta, deste, sua, seu, tua"
    ),
    polite=(
        "por favor, pfv, pf, obrigado, obrigada, muito obrigado, muito obrigada, olá, oi, bom dia, "
        "boa tarde, boa noite, agora, já, valeu"
    ),
)

ROMANIAN: Final = Vocabulary(
    stop=(
        "DEZABONARE, dezabonați, dezabonează, dezabonez, dezabona, dezabonați-mă, nu-mi mai scrieți, "
        "nu-mi mai scrie, anulare abonament, anulez abonamentul, ștergeți-mă, scoateți-mă, "
        "retrageți-mă, ștergeți numărul meu, eliminați-mă, să mă ștergeți, ștergeți-mi numărul, "
        "mă dezabonez, vreau să mă dezabonez, nu mă mai contactați, nu mă contactați, "
        "să mă scoateți, scoateți numărul meu, anulați abonamentul, nu-mi mai trimiteți nimic, "
        "nu-mi trimiteți nimic, nu mai trimiteți nimic, nu mai vreau să primesc, "
        "nu mai doresc să primesc, nu mă mai deranjați, scoate-mă din listă, șterge-mă din listă"
    ),
    unsure=(
        "nu, opriți, oprește, oprire, renunț, ajunge, anulare, încetați, terminați, "
        "nu sunt interesat, nu sunt interesată, nu mă interesează, lasați-mă în pace, "
        "lăsați-mă în pace, lasă-mă în pace"
    ),
    refuse=(
        "nu mai vreau, nu vreau, nu doresc, nu mai doresc, nu-mi mai trimiteți, nu-mi trimiteți, "
        "nu mai trimiteți, fără, gata cu, opriți, încetați, nu-mi mai trimite, ajunge cu, "
        "nu trimiteți, nu-mi trimite, nu vreau să primesc, nu doresc să primesc, nu mai trimite, "
        "stop la, stop cu, terminați cu, fără alte"
    ),
    about=(
        "mesaj, mesaje, mesajele, reclamă, reclame, reclamele, publicitate, oferte, ofertele, "
        "promoții, promoțiile, abonament, abonamentul, notificări, listă, lista, spamul, smsuri, "
        "sms, spam, promoțional, promoționale, spamuri, notificările, reclama"
    ),
    glue=(
        "mă, mi, îmi, să, de, la, din, pe, cu, aceste, acest, voastre, vreau, doresc, aș vrea, "
        "aș dori, primesc, primi, mai, și, alte, numărul meu, fi, șters, numărul, voastră, "
        "dumneavoastră, altă, să primesc, din listă, dvs, baza, date"
    ),
    polite=(
        "vă rog, va rog, te rog, rog, mulțumesc, mersi, merci, bună, bună ziua, salut, acum, "
        "imediat, mulțumesc frumos"
    ),
)
