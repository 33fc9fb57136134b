//! The built-in texts, in ASCII (a reply is, RFC 5321 4.2, unless the client takes UTF-8).
//!
//! Each says what happened and what the one who sent the message can do. Transient ones are seldom seen by people:
//! they only say that nothing needs to be done.

use crate::policy::Kind;

/// Language tag and its texts.
pub(super) type Language = (&'static str, fn(Kind) -> &'static str);

/// Every built-in language.
pub(super) const LANGUAGES: [Language; 5] = [
    ("en", english),
    ("de", german),
    ("fr", french),
    ("es", spanish),
    ("sv", swedish),
];

#[rustfmt::skip]
fn english(kind: Kind) -> &'static str {
    match kind {
        Kind::Spam => "The message looks like spam and was not delivered. {if reason}Listed as a source of spam: {reason}. {end}{if link}If you wrote it yourself, open the link to have it released.{else}If you wrote it yourself, please ask {postmaster} and give the reference in brackets.{end}",
        Kind::Virus => "The message carries a virus{if reason} ({reason}){end} and was not delivered. Please check the computer it came from. If you are sure that the file is harmless, ask {postmaster} and give the reference in brackets.",
        Kind::Attachment => "The message has an attachment that is not let through{if reason} ({reason}){end}. {if link}Open the link to ask for its release, or send{else}Please send{end} the file in another way, such as a download link.",
        Kind::Size => "The message is too large{if size_max}: {size_max} at most{end}. Attachments grow by a third when sent. Please send large files in another way, such as a download link.",
        Kind::Line => "A line of the message is longer than 8192 bytes. The program that made the message must wrap or encode long lines; please tell whoever runs it.",
        Kind::BareNewline => "The message has a CR or LF that is not part of a CRLF (RFC 5321 2.3.8). The program that made the message must be corrected; please tell whoever runs it.",
        Kind::Loop => "The message goes round in circles: it has passed through too many servers, or through this one too often. Please tell whoever runs the servers that the recipient's address is forwarded by.",
        Kind::Relay => "Relay denied: this server takes no messages for {if domain}{domain}{else}that domain{end}. Please check the address. If it is right, the MX record of the domain points to the wrong server.",
        Kind::Mailbox => "There is no mailbox {recipient} here. Please check the address, or ask the recipient for the right one.",
        Kind::List => "The operator of this server has blocked the sending server or address. If you think this is an error, please ask {postmaster}{if reference} and give the reference in brackets{end}.",
        Kind::Dmarc => "The domain of the author is not authenticated, and its owner asks for such messages to be refused (DMARC){if reason}: {reason}{end}. If you send or forward for that domain, its owner has to allow it by SPF or DKIM. If you think this is an error, please ask {postmaster}{if reference} and give the reference in brackets{end}.",
        Kind::SpfFail => "The domain of the sender does not allow this server to send for it (SPF){if reason}: {reason}{end}. Its owner can allow it in the SPF record. If you think this is an error, please ask {postmaster}{if reference} and give the reference in brackets{end}.",
        Kind::Reputation => "Nearly everything that came from {if reason}{reason}{else}your server{end} lately was refused, so nothing is taken from there for now. Please have whoever runs the sending server look for what sends spam through it. If you think this is an error, please ask {postmaster}{if reference} and give the reference in brackets{end}.",
        Kind::ReputationDefer => "Too much of what came from {if reason}{reason}{else}your server{end} lately was refused, so it has to wait. Your server will try again. If this lasts, please have whoever runs it look for what sends spam through it, or ask {postmaster}.",
        Kind::Listed => "The sending server is on a list of sources of spam{if reason}: {reason}{end}. Please have whoever runs it look for what sends spam through it, and have it taken off the list then. If you think this is an error, please ask {postmaster}{if reference} and give the reference in brackets{end}.",
        Kind::ListedDefer => "The sending server is on a list of sources of spam{if reason}: {reason}{end}, so it has to wait. It will try again. If this lasts, please have whoever runs it look for what sends spam through it, or ask {postmaster}.",
        Kind::Greylist => "This server does not know yours yet and asks it to come again in some minutes. It will do so by itself; you need not do anything.",
        Kind::Rate => "More messages came from {if reason}{reason}{else}your server{end} in a short time than are taken. Your server will try again; you need not do anything.",
        Kind::Policy => "A rule of this server does not allow this{if reason} ({reason}){end}. If you think this is an error, please ask {postmaster}{if reference} and give the reference in brackets{end}.",
        Kind::EngineUnavailable => "The message can't be examined at the moment. Your server will try again; you need not do anything.",
        Kind::NexthopDown => "The server of the recipient can't be reached at the moment. Your server will try again; you need not do anything.",
        Kind::AnotherTransaction => "This recipient needs a transaction of its own. Your server will send it the message separately; you need not do anything.",
        Kind::Exhausted => "This server is too busy at the moment. Your server will try again; you need not do anything.",
        Kind::QueueFault => "The message can't be stored safely at the moment. Your server will try again; you need not do anything.",
    }
}

#[rustfmt::skip]
fn german(kind: Kind) -> &'static str {
    match kind {
        Kind::Spam => "Die Nachricht sieht wie Spam aus und wurde nicht zugestellt. {if reason}Als Spam-Quelle gelistet: {reason}. {end}{if link}Wenn Sie sie selbst geschrieben haben, oeffnen Sie den Link, um sie freizugeben.{else}Wenn Sie sie selbst geschrieben haben, fragen Sie bitte {postmaster} und nennen Sie die Kennung in Klammern.{end}",
        Kind::Virus => "Die Nachricht enthaelt einen Virus{if reason} ({reason}){end} und wurde nicht zugestellt. Bitte pruefen Sie den Rechner, von dem sie kam. Wenn Sie sicher sind, dass die Datei harmlos ist, fragen Sie {postmaster} und nennen Sie die Kennung in Klammern.",
        Kind::Attachment => "Die Nachricht hat einen Anhang, der nicht durchgelassen wird{if reason} ({reason}){end}. {if link}Oeffnen Sie den Link, um die Freigabe zu erbitten, oder senden Sie{else}Bitte senden Sie{end} die Datei auf anderem Weg, etwa als Link zum Herunterladen.",
        Kind::Size => "Die Nachricht ist zu gross{if size_max}: hoechstens {size_max}{end}. Anhaenge wachsen beim Versand um ein Drittel. Bitte senden Sie grosse Dateien auf anderem Weg, etwa als Link zum Herunterladen.",
        Kind::Line => "Eine Zeile der Nachricht ist laenger als 8192 Bytes. Das Programm, das die Nachricht erzeugt hat, muss lange Zeilen umbrechen oder kodieren; bitte sagen Sie es dem, der es betreibt.",
        Kind::BareNewline => "Die Nachricht enthaelt ein CR oder LF, das nicht zu einem CRLF gehoert (RFC 5321 2.3.8). Das Programm, das die Nachricht erzeugt hat, muss berichtigt werden; bitte sagen Sie es dem, der es betreibt.",
        Kind::Loop => "Die Nachricht laeuft im Kreis: sie ist durch zu viele Server gegangen oder zu oft durch diesen. Bitte sagen Sie es denen, deren Server die Adresse des Empfaengers weiterleiten.",
        Kind::Relay => "Relay verweigert: dieser Server nimmt keine Nachrichten fuer {if domain}{domain}{else}diese Domain{end} an. Bitte pruefen Sie die Adresse. Wenn sie stimmt, zeigt der MX-Eintrag der Domain auf den falschen Server.",
        Kind::Mailbox => "Das Postfach {recipient} gibt es hier nicht. Bitte pruefen Sie die Adresse oder fragen Sie den Empfaenger nach der richtigen.",
        Kind::List => "Der Betreiber dieses Servers hat den sendenden Server oder die Adresse gesperrt. Wenn Sie das fuer einen Irrtum halten, fragen Sie bitte {postmaster}{if reference} und nennen Sie die Kennung in Klammern{end}.",
        Kind::Dmarc => "Die Domain des Absenders ist nicht nachgewiesen, und ihr Inhaber bittet, solche Nachrichten abzulehnen (DMARC){if reason}: {reason}{end}. Wenn Sie fuer diese Domain senden oder weiterleiten, muss ihr Inhaber es durch SPF oder DKIM erlauben. Wenn Sie das fuer einen Irrtum halten, fragen Sie bitte {postmaster}{if reference} und nennen Sie die Kennung in Klammern{end}.",
        Kind::SpfFail => "Die Domain des Absenders erlaubt diesem Server nicht, fuer sie zu senden (SPF){if reason}: {reason}{end}. Ihr Inhaber kann es im SPF-Eintrag erlauben. Wenn Sie das fuer einen Irrtum halten, fragen Sie bitte {postmaster}{if reference} und nennen Sie die Kennung in Klammern{end}.",
        Kind::Reputation => "Fast alles, was zuletzt von {if reason}{reason}{else}Ihrem Server{end} kam, wurde abgelehnt; deshalb wird von dort zurzeit nichts angenommen. Bitte lassen Sie den Betreiber des sendenden Servers suchen, was darueber Spam verschickt. Wenn Sie das fuer einen Irrtum halten, fragen Sie bitte {postmaster}{if reference} und nennen Sie die Kennung in Klammern{end}.",
        Kind::ReputationDefer => "Zu viel von dem, was zuletzt von {if reason}{reason}{else}Ihrem Server{end} kam, wurde abgelehnt; deshalb muss er warten. Ihr Server versucht es wieder. Wenn das anhaelt, lassen Sie bitte seinen Betreiber suchen, was darueber Spam verschickt, oder fragen Sie {postmaster}.",
        Kind::Listed => "Der sendende Server steht auf einer Liste von Spam-Quellen{if reason}: {reason}{end}. Bitte lassen Sie seinen Betreiber suchen, was darueber Spam verschickt, und ihn dann von der Liste nehmen. Wenn Sie das fuer einen Irrtum halten, fragen Sie bitte {postmaster}{if reference} und nennen Sie die Kennung in Klammern{end}.",
        Kind::ListedDefer => "Der sendende Server steht auf einer Liste von Spam-Quellen{if reason}: {reason}{end}; deshalb muss er warten. Er versucht es wieder. Wenn das anhaelt, lassen Sie bitte seinen Betreiber suchen, was darueber Spam verschickt, oder fragen Sie {postmaster}.",
        Kind::Greylist => "Dieser Server kennt Ihren noch nicht und bittet ihn, in einigen Minuten wiederzukommen. Das tut er von selbst; Sie brauchen nichts zu tun.",
        Kind::Rate => "Von {if reason}{reason}{else}Ihrem Server{end} kamen in kurzer Zeit mehr Nachrichten, als angenommen werden. Ihr Server versucht es wieder; Sie brauchen nichts zu tun.",
        Kind::Policy => "Eine Regel dieses Servers erlaubt das nicht{if reason} ({reason}){end}. Wenn Sie das fuer einen Irrtum halten, fragen Sie bitte {postmaster}{if reference} und nennen Sie die Kennung in Klammern{end}.",
        Kind::EngineUnavailable => "Die Nachricht kann im Augenblick nicht geprueft werden. Ihr Server versucht es wieder; Sie brauchen nichts zu tun.",
        Kind::NexthopDown => "Der Server des Empfaengers ist im Augenblick nicht erreichbar. Ihr Server versucht es wieder; Sie brauchen nichts zu tun.",
        Kind::AnotherTransaction => "Dieser Empfaenger braucht eine eigene Transaktion. Ihr Server sendet ihm die Nachricht gesondert; Sie brauchen nichts zu tun.",
        Kind::Exhausted => "Dieser Server ist im Augenblick ueberlastet. Ihr Server versucht es wieder; Sie brauchen nichts zu tun.",
        Kind::QueueFault => "Die Nachricht kann im Augenblick nicht sicher gespeichert werden. Ihr Server versucht es wieder; Sie brauchen nichts zu tun.",
    }
}

#[rustfmt::skip]
fn french(kind: Kind) -> &'static str {
    match kind {
        Kind::Spam => "Le message ressemble a du spam et n'a pas ete remis. {if reason}Figure sur une liste de sources de spam : {reason}. {end}{if link}Si vous l'avez ecrit vous-meme, ouvrez le lien pour le faire liberer.{else}Si vous l'avez ecrit vous-meme, adressez-vous a {postmaster} en indiquant la reference entre crochets.{end}",
        Kind::Virus => "Le message contient un virus{if reason} ({reason}){end} et n'a pas ete remis. Verifiez l'ordinateur dont il provient. Si vous etes certain que le fichier est inoffensif, adressez-vous a {postmaster} en indiquant la reference entre crochets.",
        Kind::Attachment => "Le message a une piece jointe qui n'est pas admise{if reason} ({reason}){end}. {if link}Ouvrez le lien pour demander sa liberation, ou envoyez{else}Veuillez envoyer{end} le fichier autrement, par exemple par un lien de telechargement.",
        Kind::Size => "Le message est trop volumineux{if size_max} : {size_max} au plus{end}. Les pieces jointes grossissent d'un tiers a l'envoi. Veuillez envoyer les gros fichiers autrement, par exemple par un lien de telechargement.",
        Kind::Line => "Une ligne du message depasse 8192 octets. Le programme qui a produit le message doit couper ou coder les longues lignes ; veuillez en informer celui qui l'exploite.",
        Kind::BareNewline => "Le message contient un CR ou un LF qui n'appartient pas a un CRLF (RFC 5321 2.3.8). Le programme qui a produit le message doit etre corrige ; veuillez en informer celui qui l'exploite.",
        Kind::Loop => "Le message tourne en rond : il est passe par trop de serveurs, ou trop souvent par celui-ci. Veuillez en informer ceux dont les serveurs transferent l'adresse du destinataire.",
        Kind::Relay => "Relais refuse : ce serveur n'accepte pas de messages pour {if domain}{domain}{else}ce domaine{end}. Verifiez l'adresse. Si elle est juste, l'enregistrement MX du domaine designe le mauvais serveur.",
        Kind::Mailbox => "La boite {recipient} n'existe pas ici. Verifiez l'adresse ou demandez la bonne au destinataire.",
        Kind::List => "L'exploitant de ce serveur a bloque le serveur ou l'adresse d'envoi. Si vous pensez que c'est une erreur, adressez-vous a {postmaster}{if reference} en indiquant la reference entre crochets{end}.",
        Kind::Dmarc => "Le domaine de l'auteur n'est pas authentifie, et son titulaire demande de refuser de tels messages (DMARC){if reason} : {reason}{end}. Si vous envoyez ou transferez pour ce domaine, son titulaire doit l'autoriser par SPF ou DKIM. Si vous pensez que c'est une erreur, adressez-vous a {postmaster}{if reference} en indiquant la reference entre crochets{end}.",
        Kind::SpfFail => "Le domaine de l'expediteur n'autorise pas ce serveur a envoyer pour lui (SPF){if reason} : {reason}{end}. Son titulaire peut l'autoriser dans l'enregistrement SPF. Si vous pensez que c'est une erreur, adressez-vous a {postmaster}{if reference} en indiquant la reference entre crochets{end}.",
        Kind::Reputation => "Presque tout ce qui est venu de {if reason}{reason}{else}votre serveur{end} ces derniers temps a ete refuse ; rien n'en est donc accepte pour le moment. Veuillez demander a l'exploitant du serveur d'envoi de chercher ce qui envoie du spam par son intermediaire. Si vous pensez que c'est une erreur, adressez-vous a {postmaster}{if reference} en indiquant la reference entre crochets{end}.",
        Kind::ReputationDefer => "Une trop grande partie de ce qui est venu de {if reason}{reason}{else}votre serveur{end} ces derniers temps a ete refusee ; il doit donc attendre. Votre serveur reessaiera. Si cela dure, demandez a son exploitant de chercher ce qui envoie du spam par son intermediaire, ou adressez-vous a {postmaster}.",
        Kind::Listed => "Le serveur d'envoi figure sur une liste de sources de spam{if reason} : {reason}{end}. Veuillez demander a son exploitant de chercher ce qui envoie du spam par son intermediaire, puis de le faire retirer de la liste. Si vous pensez que c'est une erreur, adressez-vous a {postmaster}{if reference} en indiquant la reference entre crochets{end}.",
        Kind::ListedDefer => "Le serveur d'envoi figure sur une liste de sources de spam{if reason} : {reason}{end} ; il doit donc attendre. Il reessaiera. Si cela dure, demandez a son exploitant de chercher ce qui envoie du spam par son intermediaire, ou adressez-vous a {postmaster}.",
        Kind::Greylist => "Ce serveur ne connait pas encore le votre et lui demande de revenir dans quelques minutes. Il le fera de lui-meme ; vous n'avez rien a faire.",
        Kind::Rate => "Plus de messages sont venus de {if reason}{reason}{else}votre serveur{end} en peu de temps qu'il n'en est accepte. Votre serveur reessaiera ; vous n'avez rien a faire.",
        Kind::Policy => "Une regle de ce serveur ne le permet pas{if reason} ({reason}){end}. Si vous pensez que c'est une erreur, adressez-vous a {postmaster}{if reference} en indiquant la reference entre crochets{end}.",
        Kind::EngineUnavailable => "Le message ne peut pas etre examine pour le moment. Votre serveur reessaiera ; vous n'avez rien a faire.",
        Kind::NexthopDown => "Le serveur du destinataire est injoignable pour le moment. Votre serveur reessaiera ; vous n'avez rien a faire.",
        Kind::AnotherTransaction => "Ce destinataire demande une transaction a part. Votre serveur lui enverra le message separement ; vous n'avez rien a faire.",
        Kind::Exhausted => "Ce serveur est surcharge pour le moment. Votre serveur reessaiera ; vous n'avez rien a faire.",
        Kind::QueueFault => "Le message ne peut pas etre conserve de maniere sure pour le moment. Votre serveur reessaiera ; vous n'avez rien a faire.",
    }
}

#[rustfmt::skip]
fn spanish(kind: Kind) -> &'static str {
    match kind {
        Kind::Spam => "El mensaje parece spam y no se ha entregado. {if reason}En una lista de fuentes de spam: {reason}. {end}{if link}Si lo ha escrito usted, abra el enlace para que se libere.{else}Si lo ha escrito usted, pregunte a {postmaster} e indique la referencia entre corchetes.{end}",
        Kind::Virus => "El mensaje contiene un virus{if reason} ({reason}){end} y no se ha entregado. Revise el ordenador del que procede. Si sabe con certeza que el archivo es inofensivo, pregunte a {postmaster} e indique la referencia entre corchetes.",
        Kind::Attachment => "El mensaje tiene un adjunto que no se admite{if reason} ({reason}){end}. {if link}Abra el enlace para pedir que se libere, o envie{else}Envie{end} el archivo de otra manera, por ejemplo con un enlace de descarga.",
        Kind::Size => "El mensaje es demasiado grande{if size_max}: {size_max} como maximo{end}. Los adjuntos crecen un tercio al enviarse. Envie los archivos grandes de otra manera, por ejemplo con un enlace de descarga.",
        Kind::Line => "Una linea del mensaje tiene mas de 8192 bytes. El programa que ha creado el mensaje debe partir o codificar las lineas largas; avise a quien lo administra.",
        Kind::BareNewline => "El mensaje contiene un CR o LF que no forma parte de un CRLF (RFC 5321 2.3.8). El programa que ha creado el mensaje debe corregirse; avise a quien lo administra.",
        Kind::Loop => "El mensaje da vueltas: ha pasado por demasiados servidores, o demasiadas veces por este. Avise a quienes administran los servidores que reenvian la direccion del destinatario.",
        Kind::Relay => "Reenvio denegado: este servidor no acepta mensajes para {if domain}{domain}{else}ese dominio{end}. Compruebe la direccion. Si es correcta, el registro MX del dominio apunta al servidor equivocado.",
        Kind::Mailbox => "El buzon {recipient} no existe aqui. Compruebe la direccion o pida la correcta al destinatario.",
        Kind::List => "El operador de este servidor ha bloqueado el servidor o la direccion de envio. Si cree que es un error, pregunte a {postmaster}{if reference} e indique la referencia entre corchetes{end}.",
        Kind::Dmarc => "El dominio del autor no esta autenticado, y su titular pide que se rechacen tales mensajes (DMARC){if reason}: {reason}{end}. Si envia o reenvia para ese dominio, su titular debe permitirlo mediante SPF o DKIM. Si cree que es un error, pregunte a {postmaster}{if reference} e indique la referencia entre corchetes{end}.",
        Kind::SpfFail => "El dominio del remitente no permite que este servidor envie para el (SPF){if reason}: {reason}{end}. Su titular puede permitirlo en el registro SPF. Si cree que es un error, pregunte a {postmaster}{if reference} e indique la referencia entre corchetes{end}.",
        Kind::Reputation => "Casi todo lo que ha llegado de {if reason}{reason}{else}su servidor{end} ultimamente se ha rechazado, por lo que de momento no se acepta nada de alli. Pida a quien administra el servidor de envio que busque que envia spam a traves de el. Si cree que es un error, pregunte a {postmaster}{if reference} e indique la referencia entre corchetes{end}.",
        Kind::ReputationDefer => "Se ha rechazado demasiado de lo que ha llegado de {if reason}{reason}{else}su servidor{end} ultimamente, por lo que tiene que esperar. Su servidor volvera a intentarlo. Si esto dura, pida a quien lo administra que busque que envia spam a traves de el, o pregunte a {postmaster}.",
        Kind::Listed => "El servidor de envio esta en una lista de fuentes de spam{if reason}: {reason}{end}. Pida a quien lo administra que busque que envia spam a traves de el y que lo haga retirar de la lista. Si cree que es un error, pregunte a {postmaster}{if reference} e indique la referencia entre corchetes{end}.",
        Kind::ListedDefer => "El servidor de envio esta en una lista de fuentes de spam{if reason}: {reason}{end}, por lo que tiene que esperar. Volvera a intentarlo. Si esto dura, pida a quien lo administra que busque que envia spam a traves de el, o pregunte a {postmaster}.",
        Kind::Greylist => "Este servidor aun no conoce el suyo y le pide que vuelva dentro de unos minutos. Lo hara por si mismo; no tiene que hacer nada.",
        Kind::Rate => "De {if reason}{reason}{else}su servidor{end} han llegado en poco tiempo mas mensajes de los que se aceptan. Su servidor volvera a intentarlo; no tiene que hacer nada.",
        Kind::Policy => "Una regla de este servidor no lo permite{if reason} ({reason}){end}. Si cree que es un error, pregunte a {postmaster}{if reference} e indique la referencia entre corchetes{end}.",
        Kind::EngineUnavailable => "El mensaje no se puede examinar en este momento. Su servidor volvera a intentarlo; no tiene que hacer nada.",
        Kind::NexthopDown => "No se puede contactar con el servidor del destinatario en este momento. Su servidor volvera a intentarlo; no tiene que hacer nada.",
        Kind::AnotherTransaction => "Este destinatario necesita una transaccion propia. Su servidor le enviara el mensaje por separado; no tiene que hacer nada.",
        Kind::Exhausted => "Este servidor esta sobrecargado en este momento. Su servidor volvera a intentarlo; no tiene que hacer nada.",
        Kind::QueueFault => "El mensaje no se puede guardar de forma segura en este momento. Su servidor volvera a intentarlo; no tiene que hacer nada.",
    }
}

#[rustfmt::skip]
fn swedish(kind: Kind) -> &'static str {
    match kind {
        Kind::Spam => "Meddelandet ser ut som skrappost och har inte levererats. {if reason}Finns pa en lista over spamkallor: {reason}. {end}{if link}Om du har skrivit det sjalv, oppna lanken for att fa det frigivet.{else}Om du har skrivit det sjalv, kontakta {postmaster} och uppge referensen inom hakparentes.{end}",
        Kind::Virus => "Meddelandet innehaller ett virus{if reason} ({reason}){end} och har inte levererats. Kontrollera datorn som det kom ifran. Om du ar saker pa att filen ar ofarlig, kontakta {postmaster} och uppge referensen inom hakparentes.",
        Kind::Attachment => "Meddelandet har en bilaga som inte slapps igenom{if reason} ({reason}){end}. {if link}Oppna lanken for att be om att fa den frigiven, eller skicka{else}Skicka{end} filen pa annat satt, till exempel som en nedladdningslank.",
        Kind::Size => "Meddelandet ar for stort{if size_max}: hogst {size_max}{end}. Bilagor vaxer med en tredjedel nar de skickas. Skicka stora filer pa annat satt, till exempel som en nedladdningslank.",
        Kind::Line => "En rad i meddelandet ar langre an 8192 byte. Programmet som skapade meddelandet maste bryta eller koda langa rader; meddela den som driver det.",
        Kind::BareNewline => "Meddelandet innehaller ett CR eller LF som inte ingar i ett CRLF (RFC 5321 2.3.8). Programmet som skapade meddelandet maste rattas; meddela den som driver det.",
        Kind::Loop => "Meddelandet gar runt i cirklar: det har passerat for manga servrar, eller den har servern for ofta. Meddela dem som driver servrarna som vidarebefordrar mottagarens adress.",
        Kind::Relay => "Relay nekad: den har servern tar inte emot meddelanden till {if domain}{domain}{else}den domanen{end}. Kontrollera adressen. Om den stammer pekar domanens MX-post pa fel server.",
        Kind::Mailbox => "Brevladan {recipient} finns inte har. Kontrollera adressen eller fraga mottagaren efter den ratta.",
        Kind::List => "Den som driver den har servern har sparrat den sandande servern eller adressen. Om du tror att det ar ett misstag, kontakta {postmaster}{if reference} och uppge referensen inom hakparentes{end}.",
        Kind::Dmarc => "Forfattarens doman ar inte styrkt, och dess innehavare ber att sadana meddelanden avvisas (DMARC){if reason}: {reason}{end}. Om du skickar eller vidarebefordrar for den domanen maste dess innehavare tillata det genom SPF eller DKIM. Om du tror att det ar ett misstag, kontakta {postmaster}{if reference} och uppge referensen inom hakparentes{end}.",
        Kind::SpfFail => "Avsandarens doman tillater inte att den har servern skickar for den (SPF){if reason}: {reason}{end}. Dess innehavare kan tillata det i SPF-posten. Om du tror att det ar ett misstag, kontakta {postmaster}{if reference} och uppge referensen inom hakparentes{end}.",
        Kind::Reputation => "Nastan allt som har kommit fran {if reason}{reason}{else}din server{end} pa sistone har avvisats, sa inget tas emot darifran for tillfallet. Be den som driver den sandande servern leta efter vad som skickar skrappost genom den. Om du tror att det ar ett misstag, kontakta {postmaster}{if reference} och uppge referensen inom hakparentes{end}.",
        Kind::ReputationDefer => "For mycket av det som har kommit fran {if reason}{reason}{else}din server{end} pa sistone har avvisats, sa den far vanta. Din server forsoker igen. Om det haller i sig, be den som driver den leta efter vad som skickar skrappost genom den, eller kontakta {postmaster}.",
        Kind::Listed => "Den sandande servern finns pa en lista over spamkallor{if reason}: {reason}{end}. Be den som driver den leta efter vad som skickar skrappost genom den och sedan fa den borttagen fran listan. Om du tror att det ar ett misstag, kontakta {postmaster}{if reference} och uppge referensen inom hakparentes{end}.",
        Kind::ListedDefer => "Den sandande servern finns pa en lista over spamkallor{if reason}: {reason}{end}, sa den far vanta. Den forsoker igen. Om det haller i sig, be den som driver den leta efter vad som skickar skrappost genom den, eller kontakta {postmaster}.",
        Kind::Greylist => "Den har servern kanner inte din an och ber den komma tillbaka om nagra minuter. Det gor den av sig sjalv; du behover inte gora nagot.",
        Kind::Rate => "Fler meddelanden har kommit fran {if reason}{reason}{else}din server{end} pa kort tid an vad som tas emot. Din server forsoker igen; du behover inte gora nagot.",
        Kind::Policy => "En regel pa den har servern tillater inte detta{if reason} ({reason}){end}. Om du tror att det ar ett misstag, kontakta {postmaster}{if reference} och uppge referensen inom hakparentes{end}.",
        Kind::EngineUnavailable => "Meddelandet kan inte granskas just nu. Din server forsoker igen; du behover inte gora nagot.",
        Kind::NexthopDown => "Mottagarens server kan inte nas just nu. Din server forsoker igen; du behover inte gora nagot.",
        Kind::AnotherTransaction => "Den har mottagaren kraver en egen transaktion. Din server skickar meddelandet dit separat; du behover inte gora nagot.",
        Kind::Exhausted => "Den har servern ar overbelastad just nu. Din server forsoker igen; du behover inte gora nagot.",
        Kind::QueueFault => "Meddelandet kan inte sparas sakert just nu. Din server forsoker igen; du behover inte gora nagot.",
    }
}
