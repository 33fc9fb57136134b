//! Whether a file is of the kind that its name says, as far as `infer` can tell. The answer is a hint for the log, never
//! a reason to refuse by itself: honest files are misnamed every day.

/// What a recipient would call the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Picture,
    Sound,
    Film,
    Pdf,
    Office,
    Archive,
    Program,
    WebPage,
}

/// The media type that `head` betrays, if the extension promises something of another family.
pub(super) fn mismatch(extension: &str, head: &[u8]) -> Option<&'static str> {
    let promised = promised(extension)?;
    let kind = infer::get(head)?;
    let found = family(&kind)?;
    // Office documents are ZIP archives or compound files within; `infer` names the outer form when in doubt.
    let is_container = promised == Family::Office && found == Family::Archive;
    // Spreadsheets and letters that programs export are web pages more often than not, and open as intended.
    let is_export = promised == Family::Office && found == Family::WebPage;
    // QuickTime, MPEG-4 and Ogg hold sound, film or both.
    let is_media = matches!(promised, Family::Sound | Family::Film)
        && matches!(found, Family::Sound | Family::Film);
    (promised != found && !is_container && !is_export && !is_media).then(|| kind.mime_type())
}

fn promised(extension: &str) -> Option<Family> {
    Some(match extension {
        "jpg" | "jpeg" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp" | "heic" => {
            Family::Picture
        }
        "mp3" | "wav" | "ogg" | "m4a" | "flac" => Family::Sound,
        "mp4" | "avi" | "mov" | "mkv" | "webm" => Family::Film,
        "pdf" => Family::Pdf,
        "doc" | "docx" | "docm" | "xls" | "xlsx" | "xlsm" | "ppt" | "pptx" | "pptm" | "rtf"
        | "odt" | "ods" | "odp" => Family::Office,
        "zip" | "gz" | "tgz" | "tar" | "7z" | "rar" => Family::Archive,
        _ => return None,
    })
}

fn family(kind: &infer::Type) -> Option<Family> {
    Some(match kind.mime_type() {
        "application/pdf" => Family::Pdf,
        "application/rtf" | "text/rtf" => Family::Office,
        "text/html" => Family::WebPage,
        "application/zip"
        | "application/gzip"
        | "application/x-tar"
        | "application/vnd.rar"
        | "application/x-7z-compressed"
        | "application/vnd.ms-cab-compressed" => Family::Archive,
        _ => match kind.matcher_type() {
            infer::MatcherType::Image => Family::Picture,
            infer::MatcherType::Audio => Family::Sound,
            infer::MatcherType::Video => Family::Film,
            infer::MatcherType::Doc => Family::Office,
            infer::MatcherType::App => Family::Program,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests;
