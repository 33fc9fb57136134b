//! File name extensions and what they mean to a recipient: those that run something, with the words that the one who
//! sent them reads; those of documents, behind which the former hide; those of archives and office files.

/// What a file with an extension that only the operator's list knows is called.
pub(super) const WORDS_OF_OTHERS: &str = "file of a type that is not accepted";

/// Extensions refused by default, in alphabetical order: what Gmail and Outlook refuse, less what is mere text or
/// certificates to most, plus disc images and shortcuts of the last years' outbreaks.
pub(super) const DANGEROUS: &[(&str, &str)] = &[
    ("ace", "archive in the withdrawn ACE format"),
    ("ade", "Access project"),
    ("adp", "Access project"),
    ("apk", "Android program"),
    ("application", "ClickOnce installer"),
    ("appref-ms", "ClickOnce shortcut"),
    ("appx", "Windows app package"),
    ("appxbundle", "Windows app package"),
    ("bat", "batch script"),
    ("cab", "Windows installation archive"),
    ("chm", "compiled help file"),
    ("cmd", "batch script"),
    ("com", "DOS program"),
    ("cpl", "Control Panel program"),
    ("diagcab", "troubleshooting package"),
    ("diagcfg", "troubleshooting package"),
    ("diagpkg", "troubleshooting package"),
    ("dll", "program library"),
    ("dmg", "macOS disc image"),
    ("exe", "executable program"),
    ("gadget", "Windows gadget"),
    ("hlp", "Windows help file"),
    ("hta", "HTML application"),
    ("img", "disc image"),
    ("inf", "installation instructions"),
    ("ins", "Internet settings file"),
    ("iso", "disc image"),
    ("isp", "Internet settings file"),
    ("jar", "Java program"),
    ("jnlp", "Java Web Start file"),
    ("js", "script"),
    ("jse", "encoded script"),
    ("lib", "program library"),
    ("library-ms", "Windows library description"),
    ("lnk", "Windows shortcut"),
    ("mde", "compiled Access database"),
    ("mjs", "script"),
    ("msc", "management console file"),
    ("msh", "shell script"),
    ("msi", "Windows installer"),
    ("msix", "Windows app package"),
    ("msixbundle", "Windows app package"),
    ("msp", "Windows installer patch"),
    ("mst", "Windows installer transform"),
    ("nsh", "installer script"),
    ("ocx", "ActiveX control"),
    ("pif", "DOS program information file"),
    ("ps1", "PowerShell script"),
    ("ps1xml", "PowerShell script"),
    ("ps2", "PowerShell script"),
    ("psc1", "PowerShell console file"),
    ("psm1", "PowerShell module"),
    ("reg", "registry file"),
    ("scf", "Explorer command file"),
    ("scr", "screen saver program"),
    ("sct", "script component"),
    ("search-ms", "Windows search description"),
    ("settingcontent-ms", "Windows settings shortcut"),
    ("shb", "document shortcut"),
    ("shs", "shell scrap object"),
    ("sys", "device driver"),
    ("udf", "disc image"),
    ("url", "Internet shortcut"),
    ("vb", "Visual Basic script"),
    ("vbe", "encoded Visual Basic script"),
    ("vbs", "Visual Basic script"),
    ("vhd", "virtual disc image"),
    ("vhdx", "virtual disc image"),
    ("vxd", "device driver"),
    ("wsc", "script component"),
    ("wsf", "Windows script"),
    ("wsh", "Windows script settings"),
    ("xll", "Excel program extension"),
];

/// Extensions that a recipient takes for something to read, look at or listen to.
const DOCUMENT: &[&str] = &[
    "avi", "bmp", "csv", "doc", "docm", "docx", "eml", "gif", "gz", "htm", "html", "jpeg", "jpg",
    "mov", "mp3", "mp4", "odp", "ods", "odt", "pdf", "png", "pps", "ppt", "pptx", "rar", "rtf",
    "tif", "tiff", "txt", "wav", "webp", "xls", "xlsm", "xlsx", "xml", "zip", "7z",
];

/// Office documents and books that are ZIP archives inside: what they hold is no file to the recipient.
const ZIPPED_DOCUMENT: &[&str] = &[
    "docm", "docx", "dotm", "dotx", "epub", "odf", "odg", "odp", "ods", "odt", "ott", "potm",
    "potx", "ppsm", "ppsx", "pptm", "pptx", "vsdm", "vsdx", "xlam", "xlsb", "xlsm", "xlsx", "xltm",
    "xltx",
];

/// What a file with `extension` (lower case) is, in words.
pub(super) fn words(extension: &str) -> Option<&'static str> {
    DANGEROUS
        .binary_search_by_key(&extension, |(known, _)| known)
        .ok()
        .and_then(|index| DANGEROUS.get(index))
        .map(|(_, words)| *words)
}

/// Whether `extension` (lower case) looks harmless.
pub(super) fn is_document(extension: &str) -> bool {
    DOCUMENT.contains(&extension)
}

/// Whether a file with `extension` (lower case) is a document in the form of a ZIP archive.
pub(super) fn is_zipped_document(extension: &str) -> bool {
    ZIPPED_DOCUMENT.contains(&extension)
}

#[cfg(test)]
mod tests;
