use proptest::prelude::*;

use super::{Reader, clip, put_bytes, put_number};

proptest! {
    #[test]
    fn what_is_written_is_read_back(number: u64, bytes: Vec<u8>) {
        let mut coded = Vec::new();
        put_number(&mut coded, number);
        put_bytes(&mut coded, &bytes);
        let mut reader = Reader(&coded);
        prop_assert_eq!(reader.number(), Some(number));
        prop_assert_eq!(reader.bytes(), Some(bytes.as_slice()));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn a_clipped_text_is_a_prefix_in_whole_characters(text: String, bytes_max in 0_usize..40) {
        let clipped = clip(&text, bytes_max);
        prop_assert!(clipped.len() <= bytes_max && text.starts_with(clipped));
    }
}

#[test]
fn a_number_that_does_not_fit_is_none() {
    assert_eq!(Reader(&[0xff; 10]).number(), None);
    assert_eq!(
        Reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number(),
        None
    );
    assert_eq!(Reader(&[0x80]).number(), None);
    assert_eq!(Reader(&[0x80, 2]).small::<u8>(), None);
}
