//! The embedded engine `attachment`: dangerous files by name and by content, alone or inside of archives; archives that
//! are encrypted, too deep or made to burst; and the two test strings EICAR and GTUBE, so that an installation without
//! any daemon can be tried.
//!
//! It reports what it found and marks what the settings forbid; it reads no document's inside (macros are the business
//! of the content engine) and looks for no malware but the test file.

mod archive;
mod fact;
#[cfg(test)]
mod fixture;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod kind;
mod name;
pub(crate) mod outline;
mod signature;
mod table;
mod test_string;
mod walk;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::compute::off_session;
use crate::engine::Engine;
use crate::finding::{Finding, Unavailable};
use crate::specimen::Specimen;
use crate::view::View;

/// The engine's name.
pub const NAME: &str = "attachment";

/// Levels of archives in one another beyond which no setting goes: each level costs a little stack.
pub const ARCHIVE_DEPTH_LIMIT: usize = 32;

/// Messages up to this size without archives are examined at once rather than on a thread of their own, in bytes.
const INLINE_BYTES_MAX: usize = 64 * 1024;

/// What is forbidden, and how far archives are looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentSettings {
    /// File name extensions that are refused, without the dot, in any case. Default: those with which Windows, macOS
    /// or a common program runs what the file says (`AttachmentSettings::dangerous_extensions`).
    pub banned_extensions: Vec<String>,
    /// Extensions to let through although they are in `banned_extensions`: to allow one, not to repeat all others.
    /// A program is still known by its content under any name unless its own extension is allowed.
    pub allowed_extensions: Vec<String>,
    /// Refuse archives that are encrypted. Default false: companies send them to each other.
    pub block_encrypted: bool,
    /// Refuse what is made to exhaust whoever looks into it: archives that burst, overlap or nest without end, and
    /// messages with too many or too deep parts. Default true.
    pub block_bombs: bool,
    /// Refuse archives that could not be looked through within the limits below, though nothing speaks against them.
    /// Default false.
    pub block_unexamined: bool,
    /// Archives in archives that are looked into: 1 means those attached, not those inside. Default 6, at most 32.
    pub archive_depth_max: usize,
    /// Entries that are looked at in all archives of one message. Default 10,000.
    pub archive_entries_max: usize,
    /// Bytes that are inflated for all archives of one message. Default 64 MiB.
    pub inflated_bytes_max: usize,
    /// How many times larger than the archive its content may be before it counts as a bomb, once it also exceeds
    /// `inflated_bytes_max`. Default 250; deflate cannot exceed 1,032, real files stay below 100.
    pub ratio_max: u64,
}

impl Default for AttachmentSettings {
    fn default() -> AttachmentSettings {
        AttachmentSettings {
            banned_extensions: AttachmentSettings::dangerous_extensions()
                .map(str::to_owned)
                .collect(),
            allowed_extensions: Vec::new(),
            block_encrypted: false,
            block_bombs: true,
            block_unexamined: false,
            archive_depth_max: 6,
            archive_entries_max: 10_000,
            inflated_bytes_max: 64 * 1024 * 1024,
            ratio_max: 250,
        }
    }
}

impl AttachmentSettings {
    /// The extensions that are refused by default, in alphabetical order.
    pub fn dangerous_extensions() -> impl Iterator<Item = &'static str> {
        table::DANGEROUS.iter().map(|(extension, _)| *extension)
    }
}

/// The engine. Cheap to share; it holds its settings and no state.
#[derive(Debug)]
pub struct Attachment {
    rules: Arc<Rules>,
}

/// The settings in the form in which they are asked.
#[derive(Debug)]
struct Rules {
    settings: AttachmentSettings,
    /// Banned extension in lower case -> what such a file is, in words.
    banned: HashMap<String, &'static str>,
}

impl Attachment {
    /// The engine with these settings.
    pub fn new(settings: AttachmentSettings) -> Attachment {
        let plain = |extension: &String| extension.trim_start_matches('.').to_ascii_lowercase();
        let allowed: Vec<String> = settings.allowed_extensions.iter().map(plain).collect();
        let banned = settings
            .banned_extensions
            .iter()
            .map(plain)
            .filter(|extension| !allowed.contains(extension))
            .map(|extension| {
                let words = table::words(&extension).unwrap_or(table::WORDS_OF_OTHERS);
                (extension, words)
            })
            .collect();
        Attachment {
            rules: Arc::new(Rules { settings, banned }),
        }
    }

    /// What stands in the message: the engine without its dispatch.
    pub fn inspect(&self, view: &View) -> Finding {
        inspect(&self.rules, view)
    }
}

impl Engine for Attachment {
    fn name(&self) -> &str {
        NAME
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        let message = &specimen.message;
        if message.bytes().len() <= INLINE_BYTES_MAX && !walk::has_archive(message.view()) {
            return futures_util::future::ready(Ok(self.inspect(message.view()))).boxed();
        }
        let rules = Arc::clone(&self.rules);
        off_session(move || inspect(&rules, specimen.message.view())).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        let banner = format!(
            "built in: {} banned extensions, archives to level {}",
            self.rules.banned.len(),
            self.rules.archive_depth_max()
        );
        futures_util::future::ready(Ok(banner)).boxed()
    }
}

impl Rules {
    fn archive_depth_max(&self) -> usize {
        self.settings.archive_depth_max.min(ARCHIVE_DEPTH_LIMIT)
    }
}

fn inspect(rules: &Rules, view: &View) -> Finding {
    fact::finding(rules, view, walk::facts(rules, view))
}

#[cfg(test)]
mod tests;
