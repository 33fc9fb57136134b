//! Passwords are verified against their hashes.

use super::*;
use smtp::server::Mechanism;

fn credentials(name: &str, password: &str, acting_for: &str) -> Credentials {
    Credentials {
        mechanism: Mechanism::Plain,
        authorization_identity: acting_for.to_owned(),
        authentication_identity: name.to_owned(),
        password: password.to_owned(),
    }
}

#[tokio::test]
async fn only_the_right_password_proves_an_identity() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users");
    std::fs::write(&path, format!("# users\nanna:{}\n\n", hash("secret").unwrap())).unwrap();
    let users = Users::load(&path).unwrap();
    assert_eq!(users.verify(&credentials("anna", "secret", "")).await.as_deref(), Some("anna"));
    assert_eq!(users.verify(&credentials("anna", "secret", "anna")).await.as_deref(), Some("anna"));
    assert_eq!(users.verify(&credentials("anna", "wrong", "")).await, "");
    assert_eq!(users.verify(&credentials("bert", "secret", "")).await, "");
    assert_eq!(users.verify(&credentials("anna", "secret", "bert")).await, "");
}

#[test]
fn the_hash_of_nobody_is_a_hash() {
    assert!(PasswordHash::new(NOBODY).is_ok());
}

#[test]
fn a_bad_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users");
    std::fs::write(&path, "# users\nanna:secret\n").unwrap();
    assert!(Users::load(&path).unwrap_err().contains("users:2: not `name:hash`"));
}
