//! What the walk can find, what of it the settings forbid, and the words in which senders, postmasters and logs read it.

use super::signature::Executable;
use super::{NAME, Rules, test_string};
use crate::finding::{Banned, Finding, SpamClass, Symbol, VirusClass};
use crate::limits;
use crate::view::{Disposition, View};

/// Something found in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) kind: Kind,
    /// Where: a file as `what` names it, fit for a reply.
    pub(super) what: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Eicar,
    Gtube,
    ExecutableName {
        words: &'static str,
        extension: String,
    },
    ExecutableContent(Executable),
    DoubleExtension,
    ReversedName,
    EncryptedArchive,
    ArchiveBomb,
    ArchiveDeep,
    ArchiveUnexamined,
    ArchiveDamaged,
    OfficeMacro,
    NameContentMismatch(&'static str),
    MimeLimit,
}

impl Kind {
    fn symbol(&self) -> &'static str {
        match self {
            Kind::Eicar => "EICAR",
            Kind::Gtube => "GTUBE",
            Kind::ExecutableName { .. } => "EXECUTABLE_NAME",
            Kind::ExecutableContent(Executable::Script) => "SCRIPT_CONTENT",
            Kind::ExecutableContent(_) => "EXECUTABLE_CONTENT",
            Kind::DoubleExtension => "DOUBLE_EXTENSION",
            Kind::ReversedName => "REVERSED_NAME",
            Kind::EncryptedArchive => "ENCRYPTED_ARCHIVE",
            Kind::ArchiveBomb => "ARCHIVE_BOMB",
            Kind::ArchiveDeep => "ARCHIVE_DEEP",
            Kind::ArchiveUnexamined => "ARCHIVE_UNEXAMINED",
            Kind::ArchiveDamaged => "ARCHIVE_DAMAGED",
            Kind::OfficeMacro => "OFFICE_MACRO",
            Kind::NameContentMismatch(_) => "NAME_CONTENT_MISMATCH",
            Kind::MimeLimit => "MIME_LIMIT",
        }
    }

    /// Why it is not let through, if the settings say so, in words for the one who sent it.
    fn ban(&self, rules: &Rules) -> Option<String> {
        let settings = &rules.settings;
        match self {
            Kind::ExecutableName { words, extension } => Some(format!("{words} (.{extension})")),
            Kind::ExecutableContent(executable) => executable
                .runs_when_opened()
                .then(|| format!("{} by its content", executable.words())),
            Kind::ReversedName => Some("file name with reversed characters".to_owned()),
            Kind::EncryptedArchive => settings
                .block_encrypted
                .then(|| "encrypted archive, which cannot be examined".to_owned()),
            Kind::ArchiveBomb => settings
                .block_bombs
                .then(|| "archive made to unpack to an excessive size".to_owned()),
            Kind::ArchiveDeep => settings.block_bombs.then(|| {
                format!(
                    "archives nested more than {} levels deep",
                    rules.archive_depth_max()
                )
            }),
            Kind::ArchiveUnexamined => settings
                .block_unexamined
                .then(|| "archive too large or too unusual to be examined".to_owned()),
            Kind::MimeLimit => settings
                .block_bombs
                .then(|| "more parts, or parts nested deeper, than can be examined".to_owned()),
            Kind::Eicar
            | Kind::Gtube
            | Kind::DoubleExtension
            | Kind::ArchiveDamaged
            | Kind::OfficeMacro
            | Kind::NameContentMismatch(_) => None,
        }
    }
}

/// The finding that `facts` amount to.
pub(super) fn finding(rules: &Rules, view: &View, facts: Vec<Fact>) -> Finding {
    let mut finding = Finding::new(NAME);
    if facts.iter().any(|fact| fact.kind == Kind::Eicar) {
        finding.virus = Some(VirusClass::Virus);
        finding.virus_name = Some(test_string::EICAR_NAME.to_owned());
    }
    if facts.iter().any(|fact| fact.kind == Kind::Gtube) {
        finding.spam = Some(SpamClass::Confirmed);
    }
    finding.banned = facts.iter().find_map(|fact| {
        let mut why = fact.kind.ban(rules)?;
        let is_disguised =
            |other: &Fact| other.kind == Kind::DoubleExtension && other.what == fact.what;
        if facts.iter().any(is_disguised) {
            why.push_str(" under the name of a document");
        }
        Some(Banned {
            what: fact.what.clone(),
            why,
        })
    });
    finding.reason = reason(&finding, &facts, view);
    let defects = view.defects().iter().map(|defect| (defect.symbol(), None));
    finding.symbols = facts
        .into_iter()
        .map(|fact| (fact.kind.symbol(), Some(fact.what)))
        .chain(defects)
        .take(limits::SYMBOLS_MAX)
        .map(|(name, detail)| Symbol {
            name: name.to_owned(),
            score: None,
            detail,
        })
        .collect();
    finding
}

fn reason(finding: &Finding, facts: &[Fact], view: &View) -> String {
    if let Some(name) = &finding.virus_name {
        return format!("{name} found");
    }
    if finding.spam.is_some() {
        return "GTUBE, the test string for spam filters, found".to_owned();
    }
    if let Some(banned) = &finding.banned {
        return format!("{}: {}", banned.what, banned.why);
    }
    let mut seen: Vec<&str> = facts.iter().map(|fact| fact.kind.symbol()).collect();
    seen.dedup();
    if !seen.is_empty() {
        return format!("nothing forbidden; seen: {}", seen.join(", "));
    }
    let attachments = view
        .leaves()
        .filter(|part| part.file_name().is_some() || part.disposition() == Disposition::Attachment)
        .count();
    match attachments {
        0 => "no attachments".to_owned(),
        1 => "nothing forbidden in 1 attachment".to_owned(),
        count => format!("nothing forbidden in {count} attachments"),
    }
}
