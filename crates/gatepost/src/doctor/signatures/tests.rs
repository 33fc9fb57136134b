use std::sync::Arc;

use net::resolver::DnsError;

use super::compared;
use crate::config::Dkim;
use crate::deliver::signing::PrivateKey;
use crate::doctor::Grade;

#[test]
fn a_record_must_hold_the_key() {
    for name in ["rsa", "ed25519"] {
        let file = format!("{}/tests/dkim/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        let pem = std::fs::read(&file).unwrap();
        let key = Dkim {
            domains: vec!["example.com".to_owned()],
            selector: name.to_owned(),
            file: file.into(),
            key: Arc::new(PrivateKey::from_pem(&pem).unwrap()),
            expires: None,
        };
        let grade = |answer| compared(&key, "s._domainkey.example.com", answer).grade;
        let record = key.key.public_record();
        assert_eq!(
            grade(Ok(vec!["other".to_owned(), record.clone()])),
            Grade::Ok
        );
        let blanks = record.replace("p=", "p = ");
        assert_eq!(grade(Ok(vec![blanks])), Grade::Ok);
        assert_eq!(grade(Ok(vec!["v=DKIM1; p=".to_owned()])), Grade::Failed);
        assert_eq!(grade(Err(DnsError::NoSuchName)), Grade::Failed);
        let later = DnsError::Temporary {
            detail: "SERVFAIL".to_owned(),
        };
        assert_eq!(grade(Err(later)), Grade::Warning);
    }
}
