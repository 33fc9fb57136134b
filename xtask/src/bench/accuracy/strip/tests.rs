use super::*;

fn stripped_text(message: &str) -> String {
    String::from_utf8(stripped(message.as_bytes())).unwrap()
}

#[test]
fn what_receivers_and_lists_wrote_goes() {
    let message = "From ann Mon Aug 26 2002\nReceived: from a by b;\n\tMon, 26 Aug 2002\nReceived: from c by a\nX-Spam-Status: No,\n hits=1\n\
                   ARC-Seal: i=1\nSender: x-admin@lists.example\nList-Id: <x.lists.example>\nSubject: Re: [Xlist] hello\nFrom: ann@example.org\n\nX-Spam-Status: kept\n";
    assert_eq!(
        stripped_text(message),
        "Received: from c by a\nSubject: Re: hello\nFrom: ann@example.org\n\nX-Spam-Status: kept\n"
    );
}

#[test]
fn years_become_one() {
    let message = "Date: Mon, 26 Aug 2002 12:00:00 +0200\nMessage-ID: <20020826120000.12002@x>\n\nIn 2024, 12024 or 2024x or =2024; 1999.\n";
    assert_eq!(
        stripped_text(message),
        "Date: Mon, 26 Aug 2010 12:00:00 +0200\nMessage-ID: <20100826120000.12002@x>\n\nIn 2010, 12024 or 2024x or =2024; 2010.\n"
    );
}

#[test]
fn base64_stays() {
    let line = "2024".repeat(17);
    let message = format!("A: b\n\n{line}\n 2024 {line}\n");
    assert_eq!(
        stripped_text(&message),
        format!("A: b\n\n{line}\n 2010 {line}\n")
    );
}

#[test]
fn anything_is_taken() {
    for message in [
        "",
        "\n",
        "From ",
        "a",
        "Subject: [",
        "Subject: [a] b",
        ": x\n\n2024",
    ] {
        let _ = stripped_text(message);
    }
    assert_eq!(stripped_text("Subject: [a] b"), "Subject: b");
}
