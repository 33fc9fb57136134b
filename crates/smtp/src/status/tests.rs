use proptest::prelude::*;

use super::*;

#[test]
fn reads_what_rfc_3463_permits() {
    assert_eq!("5.7.1".parse(), Ok(Status::NOT_AUTHORISED));
    assert_eq!("2.0.0".parse(), Ok(Status::OK));
    assert_eq!("4.999.999".parse(), Ok(Status::transient(999, 999)));
}

#[test]
fn refuses_everything_else() {
    for text in [
        "", "5", "5.7", "5.7.1.1", "3.7.1", "5.07.1", "5.7.1000", "5..1", "5.7.-1", "5.7.+1",
        " 5.7.1", "5.7.1 ", "5.7.x", "55.7.1",
    ] {
        assert_eq!(text.parse::<Status>(), Err(InvalidStatus), "{text:?}");
    }
}

proptest! {
    #[test]
    fn display_is_read_back(digit in prop::sample::select(vec![2u16, 4, 5]), subject in 0u16..1000, detail in 0u16..1000) {
        let status = Status::new(Class::from_digit(digit).unwrap(), subject, detail);
        prop_assert_eq!(status.to_string().parse(), Ok(status));
    }

    #[test]
    fn what_is_read_is_displayed_alike(text in "[0-9.]{0,12}") {
        if let Ok(status) = text.parse::<Status>() {
            prop_assert_eq!(status.to_string(), text);
        }
    }
}
