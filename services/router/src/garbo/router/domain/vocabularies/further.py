"""Polish, Turkish, Russian, Arabic and Greek."""

from typing import Final

from garbo.router.domain.vocabularies.vocabulary import Vocabulary

POLISH: Final = Vocabulary(
    stop=(
        "WYPISZ, wypisać, wypiszcie, wypisuję, WYPISZ MNIE, REZYGNUJE, rezygnacja, rezygnujemy, "
        "nie piszcie, nie pisz więcej, nie piszcie więcej, przestańcie pisać, usuń mnie, "
        "usuńcie mnie, anuluj subskrypcję, wyrejestruj, usunąć mnie, usunięcie z listy, "
        "skreślcie mnie, usuńcie mój numer, usuń mój numer, usunięcie mojego numeru, "
        "proszę usunąć mój numer, usunięcie mnie, wypisanie, wypisania, chcę zrezygnować, "
        "nie kontaktujcie się, proszę nie pisać, skreśl mnie, wykreślcie mnie, usuńcie numer, "
        "usunąć mój numer, wypisać się, nie wysyłajcie mi nic, nie wysyłajcie mi niczego, "
        "nic mi nie wysyłajcie, nie chcę już otrzymywać, nie chcę więcej otrzymywać, "
        "nie chcę dostawać, nie zawracajcie mi głowy, wykreśl mnie, wypiszcie mnie"
    ),
    unsure=(
        "nie, koniec, dość, wystarczy, anuluj, wyłącz, przestań, przestańcie, "
        "nie jestem zainteresowany, nie jestem zainteresowana, nie interesuje mnie to, "
        "brak zainteresowania, dajcie mi spokój, daj mi spokój, zostawcie mnie"
    ),
    refuse=(
        "nie chcę, nie chcę więcej, nie życzę sobie, nie wysyłaj, nie wysyłajcie, nie wysyłać, "
        "nie przysyłaj, nie przysyłajcie, nie przysyłać, żadnych, bez, przestańcie, przestań, dość, "
        "koniec, nie wysyłajcie mi, nie wysyłaj mi, proszę nie wysyłać, nie przysyłajcie mi, "
        "nie interesują mnie, dość już, stop, koniec z"
    ),
    about=(
        "wiadomość, wiadomości, reklama, reklamy, reklam, ofert, oferty, promocji, promocje, "
        "subskrypcja, subskrypcję, subskrypcji, newslettera, newsletterów, spamu, pisać, wysyłać, "
        "listy, smsów, powiadomień, smsy, sms, reklamom, maile, mailingu, spam, ofertami, reklamami, "
        "powiadomienia, wiadomościami, kontaktować, marketingu, wysyłania, pisania, przysyłać"
    ),
    glue=(
        "mnie, mi, do, z, od, tych, te, ten, tej, waszych, więcej, już, chcę, chciałbym, chciałabym, "
        "się, otrzymywać, dostawać, i, z listy, sobie, o, mój, mojego, numer, numeru, tego, żadnych, "
        "być, usunięty, usunięta, ode, waszej, państwa, mailingowej, bazy"
    ),
    polite=(
        "proszę, prosze, dziękuję, dzięki, dziękuje, cześć, hej, dzień dobry, witam, teraz, "
        "natychmiast, pozdrawiam"
    ),
)

TURKISH: Final = Vocabulary(
    stop=(
        "IPTAL, iptal et, iptal edin, RET, abonelikten çık, abonelikten çıkmak, üyelikten çık, "
        "üyelikten çıkmak, listeden çıkar, listeden çıkarın, listeden çıkmak, abonelik iptali, "
        "durdur, durdurun, listeden silin, listenizden silin, listenizden çıkarın, beni silin, "
        "numaramı silin, artık yazmayın, bana yazmayın, aboneliğimi iptal edin, "
        "aboneliğimi iptal et, üyeliğimi iptal edin, üyeliğimi iptal et, beni çıkarın, "
        "numaramı çıkarın, numaramı listeden silin, bana mesaj atmayın, mesaj atmayın, "
        "abonelikten ayrıl, aboneliği sonlandır, aboneliği iptal et, aboneliğimi sonlandırın, "
        "bir daha yazmayın, bana ulaşmayın, hiçbir şey göndermeyin, bir şey göndermeyin, beni çıkar, "
        "beni sil, numaramı sil, rahatsız etmeyin beni, bir daha mesaj atmayın"
    ),
    unsure=(
        "hayır, dur, yeter, vazgeç, istemiyorum, istemem, çık, çıkış, ilgilenmiyorum, "
        "ilgilenmiyoruz, beni rahat bırakın, rahatsız etmeyin"
    ),
    refuse=(
        "istemiyorum, istemem, istemiyoruz, göndermeyin, gönderme, göndermeyiniz, atmayın, atma, "
        "yazmayın, yollamayın, almak istemiyorum, yeter, kes, kesin, göndermeyi bırakın, "
        "göndermeyi kesin, atmayı bırakın, almayayım, yollama, son verin, durdurun"
    ),
    about=(
        "mesaj, mesajları, mesajlar, mesajı, reklam, reklamları, reklamlar, kampanya, abonelik, "
        "aboneliği, bildirim, tanıtım, sms, mesajlarınızı, numaramı, numaram, mesajlarınız, "
        "promosyon, promosyonlar, promosyonları, kampanyalar, kampanyaları, bildirimleri, "
        "bildirimler, spam, reklamlara, mesajlara"
    ),
    glue=(
        "bana, beni, bu, artık, daha, bir daha, fazla, istiyorum, rica ederim, almak, ben, hiç, da, "
        "de, sizden, sizin, bunları, listeden, listenizden, tarafıma, bundan, sonra, sistemden, "
        "rehberden"
    ),
    polite=(
        "lütfen, teşekkürler, teşekkür ederim, sağol, sağolun, merhaba, selam, hemen, şimdi, artık, "
        "iyi günler, günaydın"
    ),
)

RUSSIAN: Final = Vocabulary(
    stop=(
        "ОТПИСАТЬСЯ, отпишите, отпиши, отписка, отписаться, отпишусь, отписываюсь, отписку, СТОП, "
        "прекратите, не пишите, не пиши, удалите меня, уберите меня, отмените подписку, "
        "отменить подписку, уберите мой номер, удалите мой номер, исключите меня, больше не пишите, "
        "мне не пишите, не беспокойте, не беспокойте меня, отпишите меня, хочу отписаться, "
        "удалите номер, удалите из списка, уберите из рассылки, уберите из списка, "
        "отключите рассылку, отключить рассылку, исключите мой номер, вычеркните меня, "
        "отмена подписки, снимите с рассылки, ничего не присылайте, ничего мне не присылайте, "
        "ничего больше не присылайте, не хочу больше получать, больше не хочу получать, "
        "не надо мне писать, удалите из базы, вычеркните, уберите из базы"
    ),
    unsure=(
        "нет, хватит, довольно, отмена, отменить, конец, достаточно, не надо, больше не надо, "
        "не нужно, перестаньте, не интересно, не интересует, мне не интересно, неинтересно, "
        "оставьте меня в покое, отстаньте"
    ),
    refuse=(
        "не хочу, не хочу больше, не желаю, не присылайте, не присылайте больше, "
        "больше не присылайте, не шлите, не отправляйте, не надо, не нужно, без, хватит, "
        "перестаньте, прекратите, никаких, не отправляйте больше, не шлите больше, прекратить, стоп, "
        "больше не хочу"
    ),
    about=(
        "сообщение, сообщения, сообщений, реклама, рекламу, рекламы, рассылка, рассылку, рассылки, "
        "предложения, предложений, акции, спам, спама, присылать, писать, слать, списка, подписку, "
        "смс, уведомления, рассылок, рекламой, рекламных, рекламные, спамить, сообщениями, "
        "уведомлений, отправлять, отправку"
    ),
    glue=(
        "мне, меня, от, из, эту, эти, этой, ваших, ваши, больше, вашей, хочу, хотел бы, хотела бы, "
        "получать, на, и, вы, я, нам, все, номер, мой, вашего, никогда, прошу, просьба, списков, "
        "рекламные, базы, вашей базы, базу"
    ),
    polite=("пожалуйста, пж, плиз, спасибо, спс, здравствуйте, привет, добрый день, сейчас, немедленно, уже"),
)

ARABIC: Final = Vocabulary(
    stop=(
        "إيقاف, إيقاف الرسائل, إلغاء الاشتراك, إلغاء اشتراكي, ألغوا اشتراكي, الغ الاشتراك, ستوب, "
        "إيقاف العروض الترويجية, لا تراسلوني, احذفوني, احذفني, أزيلوني, أوقفوا الرسائل, "
        "أوقف الرسائل, أزيلوا رقمي, احذفوا رقمي, إزالة رقمي, امسحوا رقمي, أريد إلغاء الاشتراك, "
        "الغاء الاشتراك, ألغ اشتراكي, شيلوني, شيلوا رقمي, لا تتواصلوا معي, لا تتصلوا بي, لا تراسلني, "
        "حذف رقمي, إزالتي, إزالتي من القائمة, لا ترسلوا لي شيئا, لا ترسل لي شيئا, "
        "لا ترسلوا لي أي شيء, لا أريد استلام رسائلكم, احذفوا اسمي, شيل رقمي, لا ترسلوا رسائل"
    ),
    unsure=(
        "لا, توقف, توقفوا, قف, كفى, يكفي, إلغاء, غير مهتم, لست مهتما, لست مهتمة, غير مهتمة, "
        "اتركوني وشأني, لا تزعجوني"
    ),
    refuse=(
        "لا أريد, ما أريد, لا نريد, لا ترسلوا, لا ترسل, أوقفوا, أوقف, توقفوا عن, توقف عن, كفى, بدون, "
        "لا أرغب في, ما أبي, مش عايز, وقفوا, لا ترسلوا لي, لا ترسل لي, لا أريد استلام, لا أود, "
        "بطلوا, لم أعد أريد, لا أريد أي, وقف"
    ),
    about=(
        "رسائل, الرسائل, رسالة, رسائلكم, رسائل أخرى, إعلانات, الإعلانات, إعلان, عروض, العروض, دعاية, "
        "الاشتراك, اشتراك, الإرسال, إرسال, مراسلتي, القائمة, رقمي, قائمتكم, أي رسائل, الدعاية, "
        "إعلاناتكم, عروضكم, دعايات, إعلانية, دعائية, الإشعارات, إشعارات, رسائل دعائية, رسايل, "
        "الرسايل, سبام"
    ),
    glue=(
        "لي, إلي, من, عن, في, هذه, هذا, أريد, أرجو, بعد, الآن, أخرى, مزيد, المزيد, استلام, إرسال, "
        "رقمي, أي, من قائمتكم, معي, مرة أخرى, أبدا, منكم, استقبال, قاعدة, بياناتكم, اسمي"
    ),
    polite=(
        "من فضلك, لو سمحت, لو سمحتم, من فضلكم, رجاء, شكرا, شكرا لك, شكرا لكم, مرحبا, السلام عليكم, "
        "الآن, فورا, أهلا"
    ),
)

GREEK: Final = Vocabulary(
    stop=(
        "ΔΙΑΓΡΑΦΗ, διαγράψτε με, διαγραφώ, διέγραψέ με, απεγγραφή, απεγγραφώ, στοπ, μη μου γράφετε, "
        "μην μου γράφετε, μη με ενοχλείτε, μην με ενοχλείτε, διακοπή μηνυμάτων, αφαιρέστε με, "
        "βγάλτε με, διαγράψτε τον αριθμό μου, σβήστε με, διαγραφή από τη λίστα, θέλω να διαγραφώ, "
        "θέλω διαγραφή, βγάλτε με από τη λίστα, μη μου ξαναγράψετε, μην μου ξαναγράψετε, "
        "μη μου ξαναστείλετε, μην μου ξαναστείλετε, να διαγραφώ, αφαιρέστε τον αριθμό μου, "
        "κατάργηση εγγραφής, απεγγράψτε με, ακυρώστε τη συνδρομή, ακύρωση συνδρομής, "
        "μη μου στέλνετε τίποτα, μην μου στέλνετε τίποτα, δεν θέλω να λαμβάνω, "
        "δεν θέλω να λαμβάνω άλλα, μη με ξαναενοχλήσετε, σβήστε τον αριθμό μου, βγάλε με"
    ),
    unsure=(
        "όχι, τέλος, σταματήστε, σταμάτα, φτάνει, αρκετά, ακύρωση, διακοπή, έξοδος, "
        "δεν ενδιαφέρομαι, δεν με ενδιαφέρει, αφήστε με ήσυχο, αφήστε με ήσυχη"
    ),
    refuse=(
        "δεν θέλω, δε θέλω, μη μου στέλνετε, μην μου στέλνετε, μη στέλνετε, μην στέλνετε, "
        "σταματήστε, όχι άλλα, χωρίς, φτάνει, δεν επιθυμώ, διακόψτε, σταματήστε να, σταμάτα να, "
        "μη μου στέλνεις, μην μου στέλνεις, να μη μου στέλνετε, να μην μου στέλνετε, στοπ στα"
    ),
    about=(
        "μήνυμα, μηνύματα, διαφήμιση, διαφημίσεις, προσφορές, προωθητικά, στέλνετε, γράφετε, "
        "ενημερώσεις, λίστα, συνδρομή, να στέλνετε, να γράφετε, sms, mail, διαφημιστικά, "
        "ειδοποιήσεις, σπαμ, spam, στέλνεις, διαφημίσεων, μηνυμάτων"
    ),
    glue=(
        "μου, με, να, από, τη, την, τις, τα, το, άλλα, άλλες, πια, πλέον, θέλω, θα ήθελα, λαμβάνω, "
        "σας, αυτά, αυτές, επιθυμώ, και, άλλο, στις, στα, στη, τον, αριθμό, δικό, ξανά, ποτέ, "
        "αριθμός, λίστα σας, βάση, μας, σας λίστα"
    ),
    polite=(
        "παρακαλώ, ευχαριστώ, ευχαριστώ πολύ, γεια, γεια σας, καλημέρα, καλησπέρα, τώρα, αμέσως, "
        "σας ευχαριστώ"
    ),
)
