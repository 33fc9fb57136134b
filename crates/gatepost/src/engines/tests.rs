//! The engines do what the configuration says.

use bytes::Bytes;
use scan::message::Message;
use scan::specimen::Specimen;
use smtp::ReversePath;

use net::resolver::Resolver;

use super::*;

fn with_attachment(file_name: &str) -> Arc<Specimen> {
    let message = format!(
        "From: <jane@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Disposition: attachment; filename=\"{file_name}\"\r\n\r\nhello\r\n"
    );
    Arc::new(Specimen {
        reference: "K7QX-3M9D-2F".to_owned(),
        message: Message::new(Bytes::from(message)),
        client_ip: [192, 0, 2, 1].into(),
        client_name: None,
        helo: "mail.example.org".to_owned(),
        reverse_path: ReversePath::Null,
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.example.net".to_owned(),
        received: Vec::new(),
    })
}

async fn banned(settings: &str) -> Vec<&'static str> {
    let embedded = include_str!("../config/embedded.toml");
    let text = format!("{embedded}\n[engine.attachment]\n{settings}\n");
    let config = Config::parse("gatepost.toml", &text).unwrap();
    let resolver = Resolver::zone("").unwrap();
    let engines = arm(
        &config,
        None,
        &Journal::silent().unwrap(),
        &resolver,
        &Senders::unwritten(),
    );
    let attachment = engines.all().next().unwrap();
    let mut banned = Vec::new();
    for name in ["a.exe", "a.jar", "a.pages", "a.txt"] {
        let finding = attachment.engine.examine(with_attachment(name)).await;
        if finding.unwrap().banned.is_some() {
            banned.push(name);
        }
    }
    banned
}

#[tokio::test]
async fn the_operators_extensions_stand_beside_the_built_in_ones() {
    assert_eq!(banned("").await, ["a.exe", "a.jar"]);
    assert_eq!(
        banned("banned_extensions = ['pages']").await,
        ["a.exe", "a.jar", "a.pages"]
    );
    assert_eq!(
        banned("banned_extensions = ['pages']\nallowed_extensions = ['jar']").await,
        ["a.exe", "a.pages"]
    );
}
