//! Messages whose header section is dear.

use super::Kind;

/// How many of the kinds, from the first on, are tried at a hundred megabytes.
pub(crate) const HUGE: usize = 5;

pub(crate) const KINDS: &[Kind] = &[
    ("fields of one name", |bytes| {
        "a:\r\n".repeat(bytes / 4).into_bytes()
    }),
    ("fields of as many names", |bytes| {
        let field = |number: usize| format!("x-{number:x}: y\r\n");
        (0..bytes / 13).map(field).collect::<String>().into_bytes()
    }),
    ("lines that are no field", |bytes| {
        "no field\r\n".repeat(bytes / 10).into_bytes()
    }),
    ("one long field", |bytes| {
        format!("Subject: x\r\n{}", " folded\r\n".repeat(bytes / 9)).into_bytes()
    }),
    ("signatures", |bytes| {
        let field = "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from:from:from:to; \
                     bh=AAAA; b=AAAA\r\n";
        field.repeat(bytes / field.len()).into_bytes()
    }),
    ("signatures of many fields", |bytes| {
        let names = "x:".repeat(490);
        let field = format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h={names}from; bh=AAAA; b=AAAA\r\n"
        );
        let signed = "x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
        let rest = bytes.saturating_sub(12 * field.len()) / signed.len();
        [field.repeat(12), signed.repeat(rest)]
            .concat()
            .into_bytes()
    }),
    ("seals", |bytes| {
        let pad = "x".repeat(bytes / 160);
        let set = |number: usize| {
            let cv = if number == 1 { "none" } else { "pass" };
            format!(
                "ARC-Seal: i={number}; a=rsa-sha256; cv={cv}; d=example.com; s=s; t={pad}; b=AAAA\r\n\
                 ARC-Message-Signature: i={number}; a=rsa-sha256; d=example.com; s=s; h=from; t={pad}; bh=AAAA; b=AAAA\r\n\
                 ARC-Authentication-Results: i={number}; example.com; dmarc=pass header.from={pad}\r\n"
            )
        };
        (1..=50).rev().map(set).collect::<String>().into_bytes()
    }),
    ("authors", |bytes| {
        format!("From: {}\r\n", "a@b.c,".repeat(bytes / 6)).into_bytes()
    }),
    ("From fields of many authors", |bytes| {
        let field = format!(
            "From: {}x@example.com\r\n",
            "Ann <a@b.example>, ".repeat(50)
        );
        field.repeat(bytes / field.len()).into_bytes()
    }),
    ("comments in comments", |bytes| {
        repeated("From", &"(".repeat(4_000), bytes)
    }),
    ("groups", |bytes| {
        repeated("To", &"a:b@c.d;".repeat(500), bytes)
    }),
    ("quotation marks", |bytes| {
        repeated("From", &"\"\\".repeat(2_000), bytes)
    }),
    ("encoded words", |bytes| {
        repeated("Subject", &"=?utf-8?q?=41?= ".repeat(250), bytes)
    }),
    ("encoded words that do not end", |bytes| {
        repeated("Subject", &"=?utf-8?q?".repeat(400), bytes)
    }),
    ("encoded words that nearly begin, in From", |bytes| {
        repeated("From", &"=?=?".repeat(1_000), bytes)
    }),
    ("parameters", |bytes| {
        let field = format!("Content-Type: text/plain{}\r\n", "; a=b".repeat(3_000));
        field.repeat(bytes / field.len() + 1).into_bytes()
    }),
    ("continued parameters", |bytes| {
        let piece = |number: usize| format!("; name*{number}=b");
        let pieces: String = (0..1_200).map(piece).collect();
        let field = format!("Content-Disposition: attachment{pieces}\r\n");
        field.repeat(bytes / field.len() + 1).into_bytes()
    }),
    ("parameters in encoded words", |bytes| {
        let field = format!(
            "Content-Type: text/plain; name=\"{}\"\r\n",
            "=?utf-8?q?".repeat(1_500)
        );
        field.repeat(bytes / field.len() + 1).into_bytes()
    }),
    ("dates", |bytes| {
        repeated("Date", &"Mon, ".repeat(800), bytes)
    }),
    ("way", |bytes| {
        repeated(
            "Received",
            &"from a (b [192.0.2.1]) by c; ".repeat(130),
            bytes,
        )
    }),
    ("authentication results", |bytes| {
        repeated(
            "Authentication-Results",
            &"example.com; spf=pass (((\"smtp.mailfrom=a; ".repeat(90),
            bytes,
        )
    }),
    ("display names of look-alikes", |bytes| {
        repeated("From", &"pаypаl ".repeat(450), bytes)
    }),
];

/// Fields of this body, `bytes` in all.
fn repeated(name: &str, body: &str, bytes: usize) -> Vec<u8> {
    let field = format!("{name}: {body}\r\n");
    field.repeat(bytes / field.len() + 1).into_bytes()
}
