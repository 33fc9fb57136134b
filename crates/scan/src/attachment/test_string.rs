//! The two strings by which mail filters are tried. They are put together from halves, so that neither this source nor
//! the program built from it is taken for what it looks for.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The name under which every scanner reports the EICAR test file.
pub(super) const EICAR_NAME: &str = "EICAR-Test-File";

/// The length of the longest file that still is the test file (eicar.org, "Intended use").
const EICAR_FILE_BYTES_MAX: usize = 128;

static EICAR: LazyLock<Vec<u8>> = LazyLock::new(|| {
    joined(&[
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EIC",
        "AR-STANDARD-ANTI",
        "VIRUS-TEST-FILE!$H+H*",
    ])
});

static GTUBE: LazyLock<Finder<'static>> = LazyLock::new(|| {
    let string = joined(&[
        "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTU",
        "BE-STANDARD-ANTI-UBE-TEST-EMA",
        "IL*C.34X",
    ]);
    Finder::new(&string).into_owned()
});

fn joined(pieces: &[&str]) -> Vec<u8> {
    pieces.concat().into_bytes()
}

/// Whether `file`, which is whole or at least 129 bytes of it, is the EICAR test file: it begins with the 68 bytes, and
/// only white space follows, to 128 bytes at most.
pub(super) fn is_eicar(file: &[u8]) -> bool {
    file.len() <= EICAR_FILE_BYTES_MAX
        && file.strip_prefix(EICAR.as_slice()).is_some_and(|rest| {
            rest.iter()
                .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1a))
        })
}

/// Whether `text` holds the Generic Test for Unsolicited Bulk Email.
pub(super) fn has_gtube(text: &[u8]) -> bool {
    GTUBE.find(text).is_some()
}

/// The test file, for tests.
#[cfg(test)]
pub(super) fn eicar() -> Vec<u8> {
    EICAR.clone()
}

/// The test string, for tests.
#[cfg(test)]
pub(super) fn gtube() -> Vec<u8> {
    GTUBE.needle().to_vec()
}
