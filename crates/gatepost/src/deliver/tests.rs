//! Custody comes of a 2xx and of nothing else.

use smtp::Status;

use super::*;

#[test]
fn only_2xx_is_custody() {
    for code in 200..=599 {
        let reply = Reply::new(code, None::<Status>, "words");
        let outcome = final_outcome("smtp:192.0.2.1:25", &reply, None);
        match code {
            200..=299 => assert!(matches!(outcome, Outcome::Kept(_)), "{code}"),
            300..=399 => assert!(matches!(outcome, Outcome::Fault(_)), "{code}"),
            _ => assert!(matches!(outcome, Outcome::Refused { .. }), "{code}"),
        }
    }
}
