//! Reads `[allow]` and `[block]`; what the entries match lives in `crate::lists`.

use super::error::Fault;
use super::reader::Section;
use super::{files, value};
use crate::lists::{ListSettings, MailboxPattern};

impl ListSettings {
    pub(super) fn read(section: &Section<'_, '_>) -> ListSettings {
        let mailboxes = |key| entries(section, key, pattern);
        let reverse_path = entries(section, "reverse_path", |entry| {
            entry.parse().map_err(|()| no_pattern(entry))
        });
        ListSettings {
            client: entries(section, "client", value::network),
            reverse_path,
            from: mailboxes("from"),
            recipient: mailboxes("recipient"),
        }
    }
}

/// The entries of a list, those of its files among them.
fn entries<T>(
    section: &Section<'_, '_>,
    key: &str,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> Vec<T> {
    let mut values = Vec::new();
    for (entry, span) in section.list(key, |entry| Ok(entry.to_owned())) {
        match entry.strip_prefix("file:") {
            Some(path) => files::read_list(section, key, &span, path, |entry| {
                values.push(parse(entry)?);
                Ok(())
            }),
            None => match parse(&entry) {
                Ok(value) => values.push(value),
                Err(fault) => section.error_at(span, key, fault),
            },
        }
    }
    values
}

fn pattern(entry: &str) -> Result<MailboxPattern, Fault> {
    match entry.parse() {
        Ok(MailboxPattern::Null) => Err(Fault::new(
            "`<>` stands for the null reverse-path only",
            "move it to `reverse_path`",
        )),
        Ok(pattern) => Ok(pattern),
        Err(()) => Err(no_pattern(entry)),
    }
}

fn no_pattern(entry: &str) -> Fault {
    let shown: String = entry.chars().take(80).collect();
    Fault::new(
        format!("`{}` is no mailbox or domain", shown.escape_debug()),
        "write \"anna@example.org\", \"@example.org\", \"example.org\", or \"*.example.org\" for all below it",
    )
}
