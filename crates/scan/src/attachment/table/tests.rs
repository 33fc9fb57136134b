use super::{DANGEROUS, DOCUMENT, ZIPPED_DOCUMENT, words};

#[test]
fn words_are_found_for_every_extension() {
    assert!(
        DANGEROUS.is_sorted_by(|(a, _), (b, _)| a < b),
        "binary search needs order"
    );
    for (extension, expected) in DANGEROUS {
        assert_eq!(words(extension), Some(*expected));
        assert_eq!(*extension, extension.to_ascii_lowercase());
    }
    assert_eq!(words("pdf"), None);
    assert_eq!(words(""), None);
}

#[test]
fn no_document_is_dangerous() {
    for extension in DOCUMENT.iter().chain(ZIPPED_DOCUMENT) {
        assert_eq!(words(extension), None, "{extension}");
    }
}
