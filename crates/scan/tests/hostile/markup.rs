//! Messages whose text or HTML is dear.

use super::Kind;

pub(crate) const KINDS: &[Kind] = &[
    ("elements in one another", |n| html("<div>", n)),
    ("formatting in itself", |n| html("<b><i><font>", n)),
    ("tables in themselves", |n| html("<table><tr><td>", n)),
    ("end tags", |n| html("</p></x>", n)),
    ("tags that do not end", |n| html("<a ", n)),
    ("attributes", |n| {
        let attribute = |number: usize| format!(" a{number}=b");
        let all: String = (0..n / 9).map(attribute).collect();
        html(&format!("<p{all}>"), 1)
    }),
    ("one attribute again and again", |n| {
        html(&format!("<p{}>", " style=a:b".repeat(n / 10)), 1)
    }),
    ("comments that do not end", |n| html("<!--", n)),
    ("comments that nearly end", |n| html("<!-- --!-", n)),
    ("declarations", |n| html("<!doctype a [", n)),
    ("sections of XML", |n| html("<![CDATA[ ]", n)),
    ("scripts in scripts", |n| html("<script><!--<script>", n)),
    ("scripts that nearly end", |n| html("<script></scrip", n)),
    ("titles that do not end", |n| html("<title></titl", n)),
    ("text areas", |n| html("<textarea></texta", n)),
    ("references", |n| html("&CounterClockwiseContourIntegra", n)),
    ("numeric references", |n| html("&#x1F600;&#99999999", n)),
    ("styles", |n| {
        html("<p style='display:none;color:#fff;font:0'>x", n)
    }),
    ("style rules", |n| {
        let rule = |number: usize| format!(".c{number},p#i{number}{{color:red}}");
        let rules: String = (0..n / 40).map(rule).collect();
        let classes = (0..20)
            .map(|number| format!("c{number} "))
            .collect::<String>();
        let shown = format!("<p class='{classes}' id=i1>x").repeat(n / 180);
        html(&format!("<style>{rules}</style>{shown}"), 1)
    }),
    ("braces of styles", |n| {
        html(&format!("<style>{}", "@media{".repeat(n / 7)), 1)
    }),
    ("comments of styles", |n| {
        html(&format!("<style>{}", "/*".repeat(n / 2)), 1)
    }),
    ("links", |n| html("<a href=http://a.example/>x</a>", n)),
    ("links in links", |n| html("<a href=http://a.example/>", n)),
    ("links that may name a recipient", |n| {
        html(
            &format!("<a href=http://a.example/{}>x</a>", "bob@".repeat(480)),
            n,
        )
    }),
    ("links that are no host", |n| {
        html(&format!("<a href=http://{}>x</a>", "%".repeat(1_900)), n)
    }),
    ("links to hosts of foreign letters", |n| {
        html(&format!("<a href=http://{}>x</a>", foreign(300)), n)
    }),
    ("links to long labels of foreign letters", |n| {
        html(&format!("<a href=http://{}>x</a>", foreign(660)), n)
    }),
    ("links to many short labels", |n| {
        html(&format!("<a href=http://{}>x</a>", "é.".repeat(600)), n)
    }),
    ("links in text to foreign letters", |n| {
        text(&format!("http://{} ", foreign(660)), n)
    }),
    ("links to A-labels", |n| {
        html(
            &format!("<a href=http://xn--{}.example>x</a>", "a9".repeat(30)),
            n,
        )
    }),
    ("links that lead on", |n| {
        html(
            &format!("<a href=http://a.example/?{}>x</a>", "=http".repeat(390)),
            n,
        )
    }),
    ("pictures in the text itself", |n| {
        html(
            &format!("<img src=data:image/png;base64,{}>", "A".repeat(1_000)),
            n,
        )
    }),
    ("forms", |n| {
        html("<form action=http://a.example><input type=password>", n)
    }),
    ("addresses in text", |n| text("http://", n)),
    ("www", |n| text("www.", n)),
    ("letters with many marks", |n| {
        text("a\u{301}\u{323}\u{301}\u{323}\u{301}\u{323}", n)
    }),
    ("one letter with all marks", |n| {
        text(&format!("a{}", "\u{301}\u{323}".repeat(n / 4)), 1)
    }),
    ("marks alone", |n| text("\u{323}\u{301}", n)),
    ("letters that are many", |n| text("\u{fdfa}", n)),
    ("letters of Korea, in pieces", |n| {
        text("\u{1112}\u{1161}\u{11ab}", n)
    }),
    ("characters that show nothing", |n| {
        text("a\u{200b}\u{200d}\u{2060}", n)
    }),
    ("turned around", |n| text("\u{202e}a\u{202c}", n)),
    ("look-alikes", |n| text("pаypаl ", n)),
    ("one word of look-alikes", |n| text("pа", n)),
    ("line ends", |n| text("\r\n", n)),
    ("blanks", |n| text(" \t", n)),
    ("one long word", |n| text("a", n)),
    ("control characters", |n| text("\u{1}\u{7f}", n)),
    ("quoted-printable", |n| {
        encoded("quoted-printable", "utf-8", "=", n)
    }),
    ("quoted-printable of line ends", |n| {
        encoded("quoted-printable", "utf-8", "=\r\n", n)
    }),
    ("quoted-printable of blanks", |n| {
        encoded("quoted-printable", "utf-8", "     ", n)
    }),
    ("base64", |n| encoded("base64", "utf-8", "QUFB", n)),
    ("base64 of strange characters", |n| {
        encoded("base64", "utf-8", "QU!B", n)
    }),
    ("UTF-7", |n| encoded("7bit", "utf-7", "+AGE-+", n)),
    ("UTF-16", |n| encoded("7bit", "utf-16", "a\u{0}", n)),
    ("ISO-2022-JP", |n| {
        encoded("7bit", "iso-2022-jp", "\u{1b}$B!!\u{1b}(B", n)
    }),
    ("GB 18030", |n| encoded("8bit", "gb18030", "é0é0", n)),
    ("a charset that nobody knows", |n| {
        encoded("8bit", "x-y", "é", n)
    }),
];

/// A host of so many letters, each three bytes and none next to the one before.
fn foreign(letters: u32) -> String {
    let letter = |number: u32| char::from_u32(0x4e00 + number * 7_919 % 20_000);
    (0..letters).filter_map(letter).collect()
}

fn html(piece: &str, bytes: usize) -> Vec<u8> {
    let begin =
        "From: ann@example.com\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>";
    [begin, &filled(piece, bytes)].concat().into_bytes()
}

fn text(piece: &str, bytes: usize) -> Vec<u8> {
    encoded("8bit", "utf-8", piece, bytes)
}

fn encoded(encoding: &str, charset: &str, piece: &str, bytes: usize) -> Vec<u8> {
    format!(
        "From: ann@example.com\r\nContent-Type: text/plain; charset={charset}\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{}",
        filled(piece, bytes)
    )
    .into_bytes()
}

/// At least one `piece`, and as many as take `bytes`.
fn filled(piece: &str, bytes: usize) -> String {
    piece.repeat((bytes / piece.len()).max(1))
}
