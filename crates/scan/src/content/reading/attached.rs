//! Files that come along: what each says it is, what it is, and what opening it would do.

use memchr::memmem;

use super::html::Page;
use crate::attachment::outline::Outline;
use crate::view::{Disposition, Part};

/// Files of one message that are looked at.
pub const ATTACHED_MAX: usize = 50;

/// Bytes of a PDF file that are searched.
const PDF_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A file of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// The name, printable and shortened.
    pub name: String,
    /// The extension in lower case.
    pub extension: String,
    /// The declared media type.
    pub media_type: String,
    /// Bytes before the transfer encoding is undone.
    pub bytes: usize,
    /// What runs when it is opened, in words.
    pub executable: Option<&'static str>,
    /// What runs in the archive that it is, in words.
    pub inner_executable: Option<&'static str>,
    /// Whether its name is made to show another extension.
    pub is_disguised: bool,
    /// Whether it is an archive.
    pub is_archive: bool,
    /// Whether it opens by a password only.
    pub is_encrypted: bool,
    /// Whether it is an office document with macros.
    pub has_macro: bool,
    /// The media type that it has although its name promises another.
    pub mismatch: Option<&'static str>,
    /// Whether it is a web page.
    pub is_html: bool,
    /// Forms, if it is a web page.
    pub forms: u32,
    /// Inputs for a password, if it is a web page.
    pub password_inputs: u32,
    /// Whether it is a web page whose script makes a file of what it carries (HTML smuggling).
    pub smuggles: bool,
    /// Whether it is a web page whose script writes the page anew from what cannot be read.
    pub obfuscates: bool,
    /// Whether it is a web page that leads elsewhere at once.
    pub redirects: bool,
    /// Links in the clear, if it is a PDF.
    pub pdf_links: u32,
    /// Whether it is a PDF that runs a script or a program.
    pub pdf_runs: bool,
}

/// Whether `part` is a file to its reader rather than text of the message.
pub(super) fn is_attached(part: &Part) -> bool {
    let is_shown_text = matches!(
        part.media_type(),
        "text/plain" | "text/html" | "text/enriched"
    );
    part.disposition() == Disposition::Attachment
        || (part.file_name().is_some() && !is_shown_text)
        || !(part.is_text() || part.media_type().starts_with("multipart/"))
}

impl Attached {
    /// What `part` is. What a web page shows is added to `page`.
    pub(super) fn of(part: &Part, page: &mut Page) -> Attached {
        let outline = Outline::of(part);
        let is_html = matches!(
            outline.extension.as_str(),
            "htm" | "html" | "shtml" | "xhtml" | "svg"
        ) || matches!(
            part.media_type(),
            "text/html" | "application/xhtml+xml" | "image/svg+xml"
        );
        let mut attached = Attached {
            name: outline.name,
            extension: outline.extension,
            media_type: part.media_type().to_owned(),
            bytes: part.raw().len(),
            executable: outline.executable,
            inner_executable: outline.inner_executable,
            is_disguised: outline.is_disguised,
            is_archive: outline.is_archive,
            is_encrypted: outline.is_encrypted,
            has_macro: outline.has_macro,
            mismatch: outline.mismatch,
            is_html,
            ..Attached::default()
        };
        if is_html {
            attached.web_page(&part.text(), page);
        } else if part.head(5).starts_with(b"%PDF-") {
            attached.pdf(part.content());
        }
        attached
    }

    fn web_page(&mut self, html: &str, page: &mut Page) {
        let before = (
            page.facts.forms,
            page.facts.password_inputs,
            page.facts.refreshes,
        );
        page.scripts.clear();
        page.read(html);
        self.forms = page.facts.forms - before.0;
        self.password_inputs = page.facts.password_inputs - before.1;
        let script = page.scripts.as_bytes();
        let has = |needle: &str| memmem::find(script, needle.as_bytes()).is_some();
        let decodes = has("atob(") || has("fromCharCode") || has("Uint8Array") || has("unescape(");
        self.smuggles = decodes
            && (has("createObjectURL")
                || has("msSaveOrOpenBlob")
                || has("msSaveBlob")
                || has("new Blob"));
        self.obfuscates = (decodes || has("decodeURIComponent("))
            && (has("document.write") || has("eval(") || has("innerHTML"));
        self.redirects = page.facts.refreshes > before.2
            || has("location.href")
            || has("location.replace")
            || has("window.location");
    }

    fn pdf(&mut self, content: &[u8]) {
        let content = content.get(..PDF_BYTES_MAX).unwrap_or(content);
        let links = memmem::find_iter(content, b"/URI").count();
        self.pdf_links = u32::try_from(links).unwrap_or(u32::MAX);
        let has = |needle: &[u8]| memmem::find(content, needle).is_some();
        self.pdf_runs = has(b"/JavaScript") || has(b"/Launch");
        self.is_encrypted = has(b"/Encrypt");
    }
}
