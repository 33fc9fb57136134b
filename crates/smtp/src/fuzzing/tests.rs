use proptest::prelude::*;

use super::*;
use corpus::run;

#[path = "../../../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn commands() {
    run("command", command);
}

#[test]
fn replies() {
    run("reply", reply);
}

#[test]
fn paths() {
    run("path", path);
}

#[test]
fn mail_data() {
    run("data", data);
}

#[test]
fn chunks() {
    run("bdat", bdat);
}

#[test]
fn sessions() {
    run("session", session);
}

proptest! {
    #[test]
    fn newlines_and_dots_in_every_order(choice: u8, wire in "[\r\n.x\r\n]{0,40}(\r\n\\.\r\n)?") {
        let mut bytes = vec![choice];
        bytes.extend_from_slice(wire.as_bytes());
        data(&bytes);
        bytes.insert(1, choice % 3);
        bdat(&bytes);
    }
}
