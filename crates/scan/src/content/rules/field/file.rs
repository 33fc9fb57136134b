//! Fields of one file, inside of `attachment(...)`.

use super::{Field, flag, maybe, number, size, texts};

/// Fields of one file, inside of `attachment(...)`.
pub(super) const FIELDS: &[Field] = &[
    texts("name", "the file name", |s| {
        maybe(s.file.map(|file| file.name.as_str()))
    }),
    texts("extension", "its extension in lower case", |s| {
        maybe(s.file.map(|file| file.extension.as_str()))
    }),
    texts("type", "the declared media type", |s| {
        maybe(s.file.map(|file| file.media_type.as_str()))
    }),
    texts("executable", "what it runs when opened, in words", |s| {
        maybe(s.file.and_then(|file| file.executable))
    }),
    texts(
        "inner_executable",
        "what runs in the archive, in words",
        |s| maybe(s.file.and_then(|file| file.inner_executable)),
    ),
    texts(
        "mismatch",
        "the media type it has although its name promises another",
        |s| maybe(s.file.and_then(|file| file.mismatch)),
    ),
    number("bytes", "bytes as sent", |s| size(s.file?.bytes)),
    number("forms", "forms of a web page", |s| {
        Some(f64::from(s.file?.forms))
    }),
    number(
        "password_inputs",
        "inputs for a password of a web page",
        |s| Some(f64::from(s.file?.password_inputs)),
    ),
    number(
        "pdf_links",
        "links of a PDF, as far as they stand in the clear",
        |s| Some(f64::from(s.file?.pdf_links)),
    ),
    flag(
        "disguised",
        "its name is made to show another extension",
        |s| s.file.is_some_and(|f| f.is_disguised),
    ),
    flag("archive", "it is an archive", |s| {
        s.file.is_some_and(|file| file.is_archive)
    }),
    flag("encrypted", "it opens by a password only", |s| {
        s.file.is_some_and(|file| file.is_encrypted)
    }),
    flag("macro", "it is an office document with macros", |s| {
        s.file.is_some_and(|file| file.has_macro)
    }),
    flag("web_page", "it is a web page", |s| {
        s.file.is_some_and(|file| file.is_html)
    }),
    flag(
        "smuggles",
        "it is a web page that makes a file of what it carries",
        |s| s.file.is_some_and(|f| f.smuggles),
    ),
    flag(
        "obfuscates",
        "it is a web page written anew by a script",
        |s| s.file.is_some_and(|f| f.obfuscates),
    ),
    flag("redirects", "it is a web page that leads elsewhere", |s| {
        s.file.is_some_and(|file| file.redirects)
    }),
    flag(
        "pdf_runs",
        "it is a PDF that runs a script or a program",
        |s| s.file.is_some_and(|file| file.pdf_runs),
    ),
];
