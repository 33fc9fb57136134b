//! The sentences of reports, in the five built-in languages. A report is MIME, so they are written as people write them.

use smtp::{Class, Status};

use super::Action;

/// All that a report says in one language.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) tag: &'static str,
    pub(super) from_phrase: &'static str,
    pub(super) subject_postmaster: &'static str,
    subjects: [&'static str; 5],
    happened: [&'static str; 5],
    pub(super) to_postmaster: &'static str,
    /// With `{count}`.
    pub(super) left_out: &'static str,
    /// With `{server}`.
    pub(super) server_said: &'static str,
    pub(super) a_server_said: &'static str,
    pub(super) cause: &'static str,
    pub(super) delayed: &'static str,
    /// With `{date}`.
    pub(super) delayed_until: &'static str,
    pub(super) relayed: &'static str,
    /// With `{count}`.
    pub(super) more: &'static str,
    pub(super) message_was: &'static str,
    pub(super) subject_label: &'static str,
    pub(super) date_label: &'static str,
    pub(super) reference_label: &'static str,
    /// With `{postmaster}`.
    pub(super) ask: &'static str,
    pub(super) made_by: &'static str,
    advice: [&'static str; 8],
}

/// What the sender of a message that failed can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// There is no such mailbox.
    Mailbox,
    /// The domain takes no messages.
    Domain,
    /// The mailbox is full.
    Full,
    /// The message is too large.
    Size,
    /// A rule forbids it.
    Rule,
    /// It was tried for too long.
    Expired,
    /// It went round in circles.
    Loop,
    /// Nothing is known but the reply.
    Other,
}

impl Advice {
    /// By the status (RFC 3463 3, RFC 7505 5 and the IANA registry).
    pub(super) fn of(status: Status) -> Advice {
        match (status.subject, status.detail) {
            (4, 6) => Advice::Loop,
            (4, 7) => Advice::Expired,
            (1, 2 | 10) => Advice::Domain,
            (2, 2) => Advice::Full,
            (1, 0 | 1 | 3 | 6) | (2, 1) => Advice::Mailbox,
            (3, 4) | (2, 3) => Advice::Size,
            (7, _) => Advice::Rule,
            _ if status.class == Class::Transient => Advice::Expired,
            _ => Advice::Other,
        }
    }
}

impl Words {
    pub(super) fn subject(&self, action: Action) -> &'static str {
        of_action(&self.subjects, action)
    }

    pub(super) fn happened(&self, action: Action) -> &'static str {
        of_action(&self.happened, action)
    }

    pub(super) fn advice(&self, advice: Advice) -> &'static str {
        let [mailbox, domain, full, size, rule, expired, circle, other] = self.advice;
        match advice {
            Advice::Mailbox => mailbox,
            Advice::Domain => domain,
            Advice::Full => full,
            Advice::Size => size,
            Advice::Rule => rule,
            Advice::Expired => expired,
            Advice::Loop => circle,
            Advice::Other => other,
        }
    }
}

/// In the order of [`Action::ALL`].
fn of_action(texts: &[&'static str; 5], action: Action) -> &'static str {
    let [failed, delayed, relayed, expanded, delivered] = *texts;
    match action {
        Action::Failed => failed,
        Action::Delayed => delayed,
        Action::Relayed => relayed,
        Action::Expanded => expanded,
        Action::Delivered => delivered,
    }
}

/// The words of this language; `de-AT` falls back to `de`, and everything to English.
pub(super) fn of(language: &str) -> &'static Words {
    let primary = language.split('-').next().unwrap_or_default();
    let found = LANGUAGES
        .iter()
        .find(|words| words.tag.eq_ignore_ascii_case(primary));
    found.unwrap_or(&ENGLISH)
}

/// Every language.
pub(super) static LANGUAGES: [Words; 5] = [ENGLISH, GERMAN, FRENCH, SPANISH, SWEDISH];

const ENGLISH: Words = Words {
    tag: "en",
    from_phrase: "Mail Delivery System",
    subject_postmaster: "A message could not be delivered, and its sender was not told",
    subjects: [
        "Your message was not delivered",
        "Your message is delayed",
        "Your message was passed on",
        "Your message was passed on",
        "Your message was delivered",
    ],
    happened: [
        "Your message could not be delivered to:",
        "Your message has not been delivered yet to:",
        "Your message was passed on to the next server for:",
        "Your message was passed on to the members of:",
        "Your message was delivered to:",
    ],
    to_postmaster: "You get this report as the postmaster: the message below could not be delivered, and no report may go to its reverse-path:",
    left_out: "Too many such reports were due: since the last one you got, {count} were left out. The log has an event `report-withheld` for each.",
    server_said: "The server {server} said:",
    a_server_said: "The server said:",
    cause: "The reason:",
    delayed: "You need not do anything: delivery is tried again by itself. If it fails for good, you will get another report.",
    delayed_until: "You need not do anything: delivery is tried again by itself until {date}. If it fails for good, you will get another report.",
    relayed: "That server does not report deliveries. You will only hear more if it can't deliver the message.",
    more: "... and {count} more, which are listed in the attached report.",
    message_was: "The message was:",
    subject_label: "Subject:",
    date_label: "Received:",
    reference_label: "Reference:",
    ask: "If you need help, write to {postmaster} and give the reference.",
    made_by: "This report was made by the mail server",
    advice: [
        "There is no such mailbox. Please check the address for typing errors, and send the message again to the right one.",
        "The part of the address after the @ takes no messages. Please check it for typing errors; if it is right, reach the recipient in another way.",
        "The recipient's mailbox is full. Please try again later, or reach the recipient in another way.",
        "The message is too large. Attachments grow by a third when sent: please send large files in another way, such as a download link.",
        "A rule of the recipient's server forbids the message. If the reason above does not tell you what to change, please ask the recipient to have it let through.",
        "Delivery was tried again and again without success, and has been given up. Please try again later, or reach the recipient in another way.",
        "The message went round in circles between servers. This is an error in their configuration; please tell the recipient in another way.",
        "The reason above says what is wrong. If you can't mend it, please reach the recipient in another way.",
    ],
};

const GERMAN: Words = Words {
    tag: "de",
    from_phrase: "Mail Delivery System",
    subject_postmaster: "Eine Nachricht konnte nicht zugestellt werden, ohne dass ihr Absender es erfährt",
    subjects: [
        "Ihre Nachricht wurde nicht zugestellt",
        "Ihre Nachricht verspätet sich",
        "Ihre Nachricht wurde weitergegeben",
        "Ihre Nachricht wurde weitergegeben",
        "Ihre Nachricht wurde zugestellt",
    ],
    happened: [
        "Ihre Nachricht konnte nicht zugestellt werden an:",
        "Ihre Nachricht konnte noch nicht zugestellt werden an:",
        "Ihre Nachricht wurde an den nächsten Server weitergegeben für:",
        "Ihre Nachricht wurde weitergegeben an die Mitglieder von:",
        "Ihre Nachricht wurde zugestellt an:",
    ],
    to_postmaster: "Sie erhalten diesen Bericht als Postmaster: die unten genannte Nachricht konnte nicht zugestellt werden, und an ihren Absender (Reverse-Path) darf kein Bericht gehen:",
    left_out: "Es gab zu viele solche Berichte: seit dem letzten, den Sie erhalten haben, wurden {count} ausgelassen. Im Log steht für jeden ein Ereignis `report-withheld`.",
    server_said: "Der Server {server} hat geantwortet:",
    a_server_said: "Der Server hat geantwortet:",
    cause: "Der Grund:",
    delayed: "Sie brauchen nichts zu tun: die Zustellung wird von selbst wiederholt. Wenn sie endgültig scheitert, erhalten Sie einen weiteren Bericht.",
    delayed_until: "Sie brauchen nichts zu tun: die Zustellung wird von selbst wiederholt, bis {date}. Wenn sie endgültig scheitert, erhalten Sie einen weiteren Bericht.",
    relayed: "Dieser Server meldet keine Zustellungen. Sie hören nur dann mehr, wenn er die Nachricht nicht zustellen kann.",
    more: "... und {count} weitere, die im beigefügten Bericht stehen.",
    message_was: "Es geht um diese Nachricht:",
    subject_label: "Betreff:",
    date_label: "Angenommen:",
    reference_label: "Kennung:",
    ask: "Wenn Sie Hilfe brauchen, schreiben Sie an {postmaster} und nennen Sie die Kennung.",
    made_by: "Diesen Bericht hat der Mailserver erstellt:",
    advice: [
        "Dieses Postfach gibt es nicht. Bitte prüfen Sie die Adresse auf Tippfehler und senden Sie die Nachricht noch einmal an die richtige.",
        "Der Teil der Adresse nach dem @ nimmt keine Nachrichten an. Bitte prüfen Sie ihn auf Tippfehler; wenn er stimmt, erreichen Sie den Empfänger nur auf anderem Weg.",
        "Das Postfach des Empfängers ist voll. Bitte versuchen Sie es später noch einmal, oder erreichen Sie den Empfänger auf anderem Weg.",
        "Die Nachricht ist zu groß. Anhänge wachsen beim Versand um ein Drittel: bitte senden Sie große Dateien auf anderem Weg, etwa als Link zum Herunterladen.",
        "Eine Regel auf dem Server des Empfängers lässt die Nachricht nicht zu. Wenn der Grund oben nicht sagt, was Sie ändern können, bitten Sie den Empfänger, sie zuzulassen.",
        "Die Zustellung wurde immer wieder vergeblich versucht und ist nun aufgegeben. Bitte versuchen Sie es später noch einmal, oder erreichen Sie den Empfänger auf anderem Weg.",
        "Die Nachricht ist zwischen Servern im Kreis gelaufen. Das ist ein Fehler in deren Einstellungen; bitte sagen Sie es dem Empfänger auf anderem Weg.",
        "Der Grund oben sagt, woran es liegt. Wenn Sie es nicht ändern können, erreichen Sie den Empfänger bitte auf anderem Weg.",
    ],
};

const FRENCH: Words = Words {
    tag: "fr",
    from_phrase: "Mail Delivery System",
    subject_postmaster: "Un message n'a pas pu être remis et son expéditeur n'en a pas été informé",
    subjects: [
        "Votre message n'a pas été remis",
        "La remise de votre message est retardée",
        "Votre message a été transmis",
        "Votre message a été transmis",
        "Votre message a été remis",
    ],
    happened: [
        "Votre message n'a pas pu être remis à :",
        "Votre message n'a pas encore pu être remis à :",
        "Votre message a été transmis au serveur suivant pour :",
        "Votre message a été transmis aux membres de :",
        "Votre message a été remis à :",
    ],
    to_postmaster: "Vous recevez ce rapport en tant que postmaster : le message ci-dessous n'a pas pu être remis, et aucun rapport ne peut être envoyé à son expéditeur (reverse-path) :",
    left_out: "Ces rapports étaient trop nombreux : depuis le dernier que vous avez reçu, {count} n'ont pas été envoyés. Le journal contient un événement `report-withheld` pour chacun d'eux.",
    server_said: "Le serveur {server} a répondu :",
    a_server_said: "Le serveur a répondu :",
    cause: "Motif :",
    delayed: "Vous n'avez rien à faire : de nouvelles tentatives auront lieu automatiquement. En cas d'échec définitif, vous recevrez un autre rapport.",
    delayed_until: "Vous n'avez rien à faire : de nouvelles tentatives auront lieu automatiquement jusqu'au {date}. En cas d'échec définitif, vous recevrez un autre rapport.",
    relayed: "Ce serveur n'envoie pas de confirmation de remise. Vous ne recevrez un autre rapport que s'il ne parvient pas à remettre le message.",
    more: "... et {count} autres, qui figurent dans le rapport joint.",
    message_was: "Message concerné :",
    subject_label: "Objet :",
    date_label: "Reçu le :",
    reference_label: "Référence :",
    ask: "Si vous avez besoin d'aide, écrivez à {postmaster} en indiquant la référence.",
    made_by: "Ce rapport a été établi par le serveur de messagerie",
    advice: [
        "Cette boîte aux lettres n'existe pas. Vérifiez que l'adresse ne contient pas de faute de frappe et renvoyez le message à la bonne adresse.",
        "Le domaine (la partie de l'adresse après le @) n'accepte pas de messages. Vérifiez qu'il ne contient pas de faute de frappe ; s'il est correct, contactez le destinataire par un autre moyen.",
        "La boîte aux lettres du destinataire est pleine. Réessayez plus tard ou contactez le destinataire par un autre moyen.",
        "Le message est trop volumineux. Les pièces jointes grossissent d'un tiers à l'envoi : veuillez transmettre les gros fichiers par un autre moyen, par exemple un lien de téléchargement.",
        "Une règle du serveur du destinataire s'oppose à ce message. Si le motif ci-dessus n'indique pas ce qu'il faut modifier, demandez au destinataire de le faire autoriser.",
        "La remise a été tentée plusieurs fois sans succès, puis abandonnée. Réessayez plus tard ou contactez le destinataire par un autre moyen.",
        "Le message a tourné en boucle entre plusieurs serveurs. Il s'agit d'une erreur de configuration de ces serveurs ; veuillez en informer le destinataire par un autre moyen.",
        "Le motif ci-dessus indique ce qui ne va pas. Si vous ne pouvez pas y remédier, contactez le destinataire par un autre moyen.",
    ],
};

const SPANISH: Words = Words {
    tag: "es",
    from_phrase: "Mail Delivery System",
    subject_postmaster: "Un mensaje no se ha podido entregar y no se ha avisado a su remitente",
    subjects: [
        "Su mensaje no se ha entregado",
        "La entrega de su mensaje se ha retrasado",
        "Su mensaje se ha transmitido",
        "Su mensaje se ha transmitido",
        "Su mensaje se ha entregado",
    ],
    happened: [
        "Su mensaje no se ha podido entregar a:",
        "Su mensaje todavía no se ha podido entregar a:",
        "Su mensaje se ha transmitido al siguiente servidor para:",
        "Su mensaje se ha transmitido a los miembros de:",
        "Su mensaje se ha entregado a:",
    ],
    to_postmaster: "Recibe este informe por ser el postmaster: el mensaje siguiente no se ha podido entregar, y no se puede enviar ningún informe a su remitente (reverse-path):",
    left_out: "Había demasiados informes de este tipo: desde el último que recibió se han omitido {count}. El registro contiene un evento `report-withheld` por cada uno.",
    server_said: "El servidor {server} ha respondido:",
    a_server_said: "El servidor ha respondido:",
    cause: "Motivo:",
    delayed: "No tiene que hacer nada: se seguirá intentando la entrega automáticamente. Si al final no es posible, recibirá otro informe.",
    delayed_until: "No tiene que hacer nada: se seguirá intentando la entrega automáticamente hasta {date}. Si al final no es posible, recibirá otro informe.",
    relayed: "Ese servidor no envía confirmaciones de entrega. Solo recibirá otro informe si no consigue entregar el mensaje.",
    more: "... y {count} más, que figuran en el informe adjunto.",
    message_was: "El mensaje en cuestión:",
    subject_label: "Asunto:",
    date_label: "Recibido:",
    reference_label: "Referencia:",
    ask: "Si necesita ayuda, escriba a {postmaster} e indique la referencia.",
    made_by: "Informe generado por el servidor de correo",
    advice: [
        "Ese buzón no existe. Compruebe que la dirección esté bien escrita y vuelva a enviar el mensaje a la correcta.",
        "El dominio (la parte de la dirección que sigue a la @) no acepta mensajes. Compruebe que esté bien escrito; si es correcto, póngase en contacto con el destinatario por otro medio.",
        "El buzón del destinatario está lleno. Inténtelo más tarde o póngase en contacto con el destinatario por otro medio.",
        "El mensaje es demasiado grande. Los archivos adjuntos ocupan un tercio más al enviarse: envíe los archivos grandes por otro medio, por ejemplo con un enlace de descarga.",
        "Una regla del servidor del destinatario no admite el mensaje. Si el motivo indicado no le dice qué cambiar, pida al destinatario que lo admita.",
        "La entrega se ha intentado una y otra vez sin éxito y se ha abandonado. Inténtelo más tarde o póngase en contacto con el destinatario por otro medio.",
        "El mensaje ha circulado en bucle entre varios servidores. Se trata de un error de configuración de esos servidores; avise al destinatario por otro medio.",
        "El motivo indicado dice qué ha fallado. Si no puede remediarlo, póngase en contacto con el destinatario por otro medio.",
    ],
};

const SWEDISH: Words = Words {
    tag: "sv",
    from_phrase: "Mail Delivery System",
    subject_postmaster: "Ett meddelande kunde inte levereras, och avsändaren har inte underrättats",
    subjects: [
        "Ditt meddelande har inte levererats",
        "Ditt meddelande är försenat",
        "Ditt meddelande har skickats vidare",
        "Ditt meddelande har skickats vidare",
        "Ditt meddelande har levererats",
    ],
    happened: [
        "Ditt meddelande kunde inte levereras till:",
        "Ditt meddelande har ännu inte kunnat levereras till:",
        "Ditt meddelande har lämnats vidare till nästa server för:",
        "Ditt meddelande har skickats vidare till medlemmarna i:",
        "Ditt meddelande har levererats till:",
    ],
    to_postmaster: "Du får den här rapporten som postmaster: meddelandet nedan kunde inte levereras, och ingen rapport får skickas till avsändaren (reverse-path):",
    left_out: "Rapporterna blev för många: sedan den senaste som du fick har {count} utelämnats. I loggen finns en händelse `report-withheld` för var och en.",
    server_said: "Servern {server} svarade:",
    a_server_said: "Servern svarade:",
    cause: "Orsak:",
    delayed: "Du behöver inte göra något: nya leveransförsök görs automatiskt. Om leveransen misslyckas slutgiltigt får du en ny rapport.",
    delayed_until: "Du behöver inte göra något: nya leveransförsök görs automatiskt till {date}. Om leveransen misslyckas slutgiltigt får du en ny rapport.",
    relayed: "Den servern skickar inga leveransbekräftelser. Du får bara ett nytt besked om den inte kan leverera meddelandet.",
    more: "... och {count} till, som finns i den bifogade rapporten.",
    message_was: "Det gäller det här meddelandet:",
    subject_label: "Ämne:",
    date_label: "Mottaget:",
    reference_label: "Referens:",
    ask: "Om du behöver hjälp, skriv till {postmaster} och uppge referensen.",
    made_by: "Rapporten har skapats av e-postservern",
    advice: [
        "Den brevlådan finns inte. Kontrollera att adressen är rättstavad och skicka meddelandet igen till rätt adress.",
        "Domänen (delen av adressen efter @) tar inte emot meddelanden. Kontrollera att den är rättstavad; om den stämmer, kontakta mottagaren på annat sätt.",
        "Mottagarens brevlåda är full. Försök igen senare, eller kontakta mottagaren på annat sätt.",
        "Meddelandet är för stort. Bilagor växer med en tredjedel när de skickas: skicka stora filer på annat sätt, till exempel som en nedladdningslänk.",
        "En regel på mottagarens server tillåter inte meddelandet. Om orsaken ovan inte säger vad du kan ändra, be mottagaren se till att det släpps igenom.",
        "Leveransen har misslyckats gång på gång, och inga fler försök görs. Försök igen senare, eller kontakta mottagaren på annat sätt.",
        "Meddelandet har fastnat i en slinga mellan servrar. Felet ligger i servrarnas inställningar; meddela mottagaren på annat sätt.",
        "Orsaken ovan säger vad som är fel. Om du inte kan rätta det, kontakta mottagaren på annat sätt.",
    ],
};
