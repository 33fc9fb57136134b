//! What a file's first bytes say: programs and other things that a double click runs, and archives that can be listed.
//! Only signatures that no text or picture has by chance; `infer` knows the rest (`kind`).

/// Bytes from the start of a file that are looked at.
pub(super) const HEAD_BYTES: usize = 4_096;

/// Where an ISO 9660 image shows its signature, in bytes from the start (ECMA-119, 8.1: sector 16).
const ISO_SIGNATURE_AT: usize = 32_769;

/// The bytes of an image that are needed to know it.
pub(super) const ISO_HEAD_BYTES: usize = ISO_SIGNATURE_AT + 5;

/// A file that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Executable {
    Windows,
    Dos,
    Elf,
    MachO,
    Shortcut,
    CompiledHelp,
    DiscImage,
    Android,
    Script,
}

impl Executable {
    /// What it is, in words for the one who sent it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Executable::Windows => "Windows program",
            Executable::Dos => "DOS program",
            Executable::Elf => "Unix program",
            Executable::MachO => "macOS program",
            Executable::Shortcut => "Windows shortcut",
            Executable::CompiledHelp => "compiled help file",
            Executable::DiscImage => "disc image",
            Executable::Android => "Android program",
            Executable::Script => "script",
        }
    }

    /// Whether opening it is enough to run it. A Unix script is a text until its reader makes it executable.
    pub(super) fn runs_when_opened(self) -> bool {
        self != Executable::Script
    }

    /// Extensions under which such a file stands when it does not hide.
    pub(super) fn extensions(self) -> &'static [&'static str] {
        match self {
            Executable::Windows => &[
                "exe", "dll", "scr", "cpl", "ocx", "sys", "com", "pif", "xll",
            ],
            Executable::Dos => &["exe", "com"],
            Executable::Elf => &["", "so", "o", "elf", "bin", "ko"],
            Executable::MachO => &["", "dylib", "o"],
            Executable::Shortcut => &["lnk"],
            Executable::CompiledHelp => &["chm"],
            Executable::DiscImage => &["iso", "img", "udf"],
            Executable::Android => &["dex"],
            Executable::Script => &[],
        }
    }
}

/// An archive format that is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Zip,
    Gzip,
    Tar,
    SevenZip,
    Rar4,
    Rar5,
}

/// The program, if any, that begins with `head`.
pub(super) fn executable(head: &[u8]) -> Option<Executable> {
    match head {
        [b'M', b'Z', ..] => windows(head),
        [0x7f, b'E', b'L', b'F', 1 | 2, 1 | 2, ..] => Some(Executable::Elf),
        // A universal binary counts its architectures where a Java class has its version, 45 and more.
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1..=20, ..]
        | [0xfe, 0xed, 0xfa, 0xce | 0xcf, 0, 0, 0, ..]
        | [0xce | 0xcf, 0xfa, 0xed, 0xfe, _, 0, 0, ..] => Some(Executable::MachO),
        [0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, ..] => Some(Executable::Shortcut),
        [b'I', b'T', b'S', b'F', 2..=4, 0, 0, 0, ..] => Some(Executable::CompiledHelp),
        [b'd', b'e', b'x', b'\n', b'0', _, _, 0, ..] => Some(Executable::Android),
        [b'#', b'!', ..] => is_shebang(head).then_some(Executable::Script),
        _ => (head.get(ISO_SIGNATURE_AT..ISO_HEAD_BYTES) == Some(b"CD001"))
            .then_some(Executable::DiscImage),
    }
}

/// Whether a file with this head may be a disc image, so that more of it is worth a look: its first sectors are empty,
/// or hold a boot record.
pub(super) fn may_be_disc_image(head: &[u8]) -> bool {
    head.len() >= 512
        && (head.iter().all(|byte| *byte == 0) || head.get(510..512) == Some(&[0x55, 0xaa]))
}

/// A file that begins with `MZ`: two letters are not enough, a text may begin with them.
fn windows(head: &[u8]) -> Option<Executable> {
    let header_at = usize::try_from(u32::from_le_bytes(*head.get(0x3c..)?.first_chunk()?)).ok()?;
    let marks: [&[u8]; 4] = [b"PE\0\0", b"NE", b"LE", b"LX"];
    let header = head.get(header_at..).filter(|header| !header.is_empty());
    let is_windows = match header {
        Some(header) => header_at >= 0x40 && marks.iter().any(|mark| header.starts_with(mark)),
        // The header lies further in than we look: as good as sure if the stub before it is binary.
        None => header_at < 1 << 20 && is_binary(head),
    };
    if is_windows {
        return Some(Executable::Windows);
    }
    // Plain DOS: at most 512 bytes on the last page, some pages, a header of some paragraphs.
    let word = |at: usize| Some(u16::from_le_bytes(*head.get(at..)?.first_chunk()?));
    let is_dos =
        word(2)? <= 512 && (1..=2048).contains(&word(4)?) && (1..=4096).contains(&word(8)?);
    (is_dos && is_binary(head)).then_some(Executable::Dos)
}

fn is_binary(head: &[u8]) -> bool {
    head.iter().take(64).any(|byte| *byte == 0)
}

/// `#!` and the path of an interpreter.
fn is_shebang(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.get(2..)
        .is_some_and(|path| path.trim_ascii().starts_with(b"/"))
}

/// The archive format, if any, of a file that begins with `head`.
pub(super) fn format(head: &[u8]) -> Option<Format> {
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, b'P', b'K', ..] => {
            Some(Format::Zip)
        }
        // RFC 1952 section 2.3: deflate is the only method, the three highest flags are zero.
        [0x1f, 0x8b, 8, 0..=0x1f, ..] => Some(Format::Gzip),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(Format::SevenZip),
        [b'R', b'a', b'r', b'!', 0x1a, 7, 0, ..] => Some(Format::Rar4),
        [b'R', b'a', b'r', b'!', 0x1a, 7, 1, 0, ..] => Some(Format::Rar5),
        _ => super::archive::is_tar(head).then_some(Format::Tar),
    }
}

#[cfg(test)]
mod tests;
