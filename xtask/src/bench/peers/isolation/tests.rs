//! Account files.

use super::without;

#[test]
fn only_the_account_of_that_name_is_taken_out() {
    let accounts = "root:x:0:0::/:/bin/sh\nexim:x:1:1::/:/x\neximum:x:2:2::/:/x\n";
    assert_eq!(
        without(accounts, "exim"),
        "root:x:0:0::/:/bin/sh\neximum:x:2:2::/:/x\n"
    );
    assert_eq!(without(accounts, "nobody"), accounts);
}
