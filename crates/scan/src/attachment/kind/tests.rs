use super::mismatch;

#[test]
fn names_and_kinds() {
    let png: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let jpeg: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
    let pdf: &[u8] = b"%PDF-1.7";
    let zip: &[u8] = b"PK\x03\x04\x14\0\0\0";
    let html: &[u8] = b"<!DOCTYPE html><html>";
    for (extension, head, expected) in [
        ("png", png, None),
        ("jpg", png, None),
        ("jpg", jpeg, None),
        ("pdf", pdf, None),
        ("docx", zip, None),
        ("xls", html, None),
        ("zip", zip, None),
        ("txt", zip, None),
        ("pdf", b"plain text", None),
        ("pdf", png, Some("image/png")),
        ("png", pdf, Some("application/pdf")),
        ("jpg", zip, Some("application/zip")),
        ("pdf", html, Some("text/html")),
        ("zip", jpeg, Some("image/jpeg")),
    ] {
        assert_eq!(mismatch(extension, head), expected, "{extension} {head:?}");
    }
}
