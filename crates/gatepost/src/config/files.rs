//! Lists in files of their own: one entry on each line, `#` starts a comment.

use std::fs::File;
use std::io::Read;

use super::error::{Fault, Span};
use super::reader::Section;

/// Bytes of the largest file that is read: ten million domains fit.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads the list `path`, which stands at `span` as a value of `key`, and gives each entry to `take`.
///
/// What is wrong with an entry is noted at its place in the list, what is wrong with the file at `span`.
pub(super) fn read_list(
    section: &Section<'_, '_>,
    key: &str,
    span: &Span,
    path: &str,
    mut take: impl FnMut(&str) -> Result<(), Fault>,
) {
    let path = section.reader.path(path);
    let shown = path.display().to_string();
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(fault) => return section.error_at(span.clone(), key, fault),
    };
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let wrong = |column: usize, fault: Fault| {
            let key = section.key_path(key);
            section
                .reader
                .error_at(&shown, number + 1, column, &key, fault);
        };
        let Ok(line) = std::str::from_utf8(line) else {
            wrong(
                1,
                Fault::new("the line is not UTF-8", "save the file as UTF-8"),
            );
            continue;
        };
        let entry = line.split_once('#').map_or(line, |(entry, _)| entry);
        let entry = entry.strip_prefix('\u{feff}').unwrap_or(entry);
        let column = entry.chars().take_while(|c| c.is_whitespace()).count() + 1;
        let entry = entry.trim();
        if entry.is_empty() {
            continue;
        }
        if let Err(fault) = take(entry) {
            wrong(column, fault);
        }
    }
}

/// The whole file, if it is not too large.
pub(super) fn read(path: &std::path::Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > FILE_BYTES_MAX => Err(Fault::new(
            format!("{} is larger than 256 MiB", path.display()),
            "name a smaller file",
        )),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Fault::new(
            format!("cannot read {}: {error}", path.display()),
            "make the file, mend its path (a relative one starts at the folder of the configuration) or its permissions",
        )),
    }
}
