//! The table, written out a second time as a picture: a row for each verb, a column for each state.

use super::*;
use Permission::{Proceed, Refuse, RefuseInSequence};

const PICTURE: &str = "
             Connected  Ready    Mail     Rcpt     Bdat     BdatFailed
    EHLO     go         go       go       go       go       go
    HELO     go         go       go       go       go       go
    MAIL     ehlo!      go       nested!  nested!  nested!  rset!
    RCPT     ehlo!      mail     go       go       chunks!  rset!
    DATA     ehlo!      mail     rcpt     go       chunks!  rset!
    BDAT     ehlo!      mail     rcpt     go       go       rset
    RSET     go         go       go       go       go       go
    NOOP     go         go       go       go       go       go
    VRFY     go         go       go       go       go       go
    EXPN     go         go       go       go       go       go
    HELP     go         go       go       go       go       go
    QUIT     go         go       go       go       go       go
    STARTTLS ehlo!      go       within!  within!  within!  within!
    AUTH     ehlo!      go       within!  within!  within!  within!
    XCLIENT  go         go       within!  within!  within!  within!
    UNKNOWN  unknown!   unknown! unknown! unknown! unknown! unknown!
";

#[test]
fn the_whole_table() {
    let mut rows = PICTURE.lines().filter(|line| !line.trim().is_empty());
    let states: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    let named: Vec<String> = State::ALL
        .iter()
        .map(|state| format!("{state:?}"))
        .collect();
    assert_eq!(states, named);
    for verb in Verb::ALL {
        let row: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
        assert_eq!(row[0], verb.as_str());
        for (state, cell) in State::ALL.into_iter().zip(&row[1..]) {
            let expected = permission_of(cell);
            assert_eq!(permission(state, verb), expected, "{verb:?} in {state:?}");
        }
        assert_eq!(row.len(), 1 + State::ALL.len());
    }
    assert_eq!(rows.next(), None);
}

/// With `!` it counts as a mistake in any case.
fn permission_of(cell: &str) -> Permission {
    let reply = match cell.trim_end_matches('!') {
        "go" => return Proceed,
        "ehlo" => replies::EHLO_FIRST,
        "mail" => replies::MAIL_FIRST,
        "rcpt" => replies::RCPT_FIRST,
        "nested" => replies::NESTED_MAIL,
        "chunks" => replies::CHUNKS_IN_PROGRESS,
        "rset" => replies::RSET_FIRST,
        "within" => replies::TRANSACTION_IN_PROGRESS,
        "unknown" => replies::UNKNOWN_COMMAND,
        _ => panic!("{cell}"),
    };
    if cell.ends_with('!') {
        Refuse(reply)
    } else {
        RefuseInSequence(reply)
    }
}

#[test]
fn refusals_are_of_rfc_5321() {
    for state in State::ALL {
        for verb in Verb::ALL {
            if let Refuse(reply) | RefuseInSequence(reply) = permission(state, verb) {
                let expected = if verb == Verb::Unknown { 500 } else { 503 };
                assert_eq!(reply.code, expected, "{verb:?} in {state:?}");
            }
        }
    }
}
