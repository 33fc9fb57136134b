use proptest::prelude::*;

use super::super::fold::{FoldFacts, fold};
use super::super::link::Place;
use super::{LINKS_MAX, Page, TEXT_BYTES_MAX};

fn page(html: &str) -> Page {
    let mut page = Page::default();
    page.read(html);
    page
}

fn folded(text: &str) -> String {
    fold(text, TEXT_BYTES_MAX, &mut FoldFacts::default())
}

fn visible(html: &str) -> String {
    folded(&page(html).visible)
}

fn hidden(html: &str) -> String {
    folded(&page(html).hidden)
}

#[test]
fn blocks_break_lines_and_inline_does_not() {
    assert_eq!(
        visible("<p>V<b>ia</b>gra<!-- x --></p><div>a<br>b</div>"),
        "Viagra\na\nb"
    );
    assert_eq!(visible("<table><tr><td>a<td>b<tr><td>c</table>"), "a b\nc");
    assert_eq!(visible("a\n  b&nbsp;&amp;&#x63;"), "a b &c");
}

#[test]
fn what_is_not_text() {
    let html = "<title>T &amp; t</title><style>p{}</style><script>'<b>'</script>x<iframe><b></iframe><noscript>y</noscript>";
    let page = page(html);
    assert_eq!(folded(&page.visible), "xy");
    assert_eq!(page.title, "T & t");
    assert_eq!(page.scripts, "'<b>'");
    assert_eq!((page.facts.scripts, page.facts.frames), (1, 1));
}

#[test]
fn ways_to_hide_text() {
    for html in [
        "<div style='display:none'>x</div>",
        "<div style='display:none'><p>x</p></div>",
        "<div hidden>x</div>",
        "<span style='visibility:hidden'>x</span>",
        "<span style='font-size:0'>x</span>",
        "<span style='font-size:1px'>x</span>",
        "<span style='font-size:10%'><b style='font-size:.5em'>x</b></span>",
        "<font color=white>x</font>",
        "<body bgcolor='#000'><font color=#000001>x</font>",
        "<td bgcolor=red><span style='color:#ff0000'>x</span>",
        "<span style='opacity:0'>x</span>",
        "<span style='color:transparent'>x</span>",
        "<div style='position:absolute;top:-5000px'>x</div>",
        "<div style='max-height:0;overflow:hidden'>x</div>",
        "<style>.h{display:none}</style><i class='g H'>x</i>",
        "<template>x</template>",
    ] {
        let html = format!("seen {html}");
        assert_eq!(visible(&html), "seen", "{html}");
        assert_eq!(hidden(&html), "x", "{html}");
        assert_eq!(page(&html).facts.unseen_bytes(), 1, "{html}");
    }
}

#[test]
fn text_that_is_seen() {
    for html in [
        "<div style='display:none'></div>x",
        "<p style='display:none'><div>x</div>",
        "<p style='display:none'><p>x",
        "<table bgcolor=#333><td style='color:#fff'>x</table>",
        "<td background=x.png><font color=white>x</font>",
        "<span style='visibility:hidden'><b style='visibility:visible'>x</b></span>",
        "<td style='font-size:0'><a style='font-size:14px'>x</a></td>",
        "<style>@media print{.h{display:none}}</style><i class=h>x</i>",
        "<body text=white bgcolor=navy>x",
        "<a href='http://a.example/' style='background:blue'>x</a>",
        "<style>a{color:#fff}</style><a href='http://a.example/' style='background:blue'>x</a>",
        "<font size=1>x</font>",
    ] {
        assert_eq!(visible(html), "x", "{html}");
        assert_eq!(hidden(html), "", "{html}");
    }
}

#[test]
fn a_preview_line_is_in_order() {
    let page = page("<div style='display:none'>News of the week</div><p>Dear reader</p>");
    assert_eq!(page.facts.preheader_bytes, 16);
    assert_eq!(page.facts.unseen_bytes(), 0);
}

#[test]
fn links_and_what_is_shown_for_them() {
    let page = page(
        "<a href='https://evil.example/x'><b>www.bank</b>.com<img src='http://i.example/p.gif' width=1 height=1></a>
         <a href='#top'>t</a><form action='//f.example/'><input type=PASSWORD></form>
         <a name=x href='mailto:a@b.example'><img src=data:image/png;base64,AA></a>
         <meta http-equiv=Refresh content='0; URL=https://r.example/'>",
    );
    let links: Vec<_> = page
        .links
        .iter()
        .map(|link| (link.place, link.url(), link.shown.clone()))
        .collect();
    let expected = [
        (
            Place::Href,
            "https://evil.example/x".to_owned(),
            Some("www.bank.com".to_owned()),
        ),
        (Place::Image, "http://i.example/p.gif".to_owned(), None),
        (Place::Form, "http://f.example/".to_owned(), None),
        (Place::Href, "mailto:a@b.example".to_owned(), None),
        (Place::Automatic, "https://r.example/".to_owned(), None),
    ];
    assert_eq!(links, expected);
    assert!(page.links.first().is_some_and(|link| link.misleads()));
    let facts = &page.facts;
    assert_eq!(
        (facts.tiny_images, facts.data_images, facts.relative_links),
        (1, 1, 1)
    );
    assert_eq!(
        (facts.forms, facts.password_inputs, facts.refreshes),
        (1, 1, 1)
    );
}

#[test]
fn hostile_pages_cost_work_in_proportion_to_their_size() {
    let many = |piece: &str, count: usize| piece.repeat(count);
    for piece in [
        "<b>",
        "</b>",
        "<p>",
        "<div><span>",
        "<p><table>",
        "<hr>",
        "</x><y>",
        "<a href=http://a.example>x",
        "<style>.a{color:red}</style>",
        "<i class='a b c d e f g h i j'>",
        "<!--",
        "&amp;",
        "<p style='color:red;'>",
        "<td><p><b>",
        "<",
        "<a x=1 ",
        "&#x",
        "<script>",
        "<title>",
    ] {
        let small = page(&many(piece, 5_000)).facts.steps;
        let large = page(&many(piece, 20_000)).facts.steps;
        assert!(
            large <= 4 * small + 20_000,
            "{piece}: {small} steps, then {large}"
        );
        assert!(large <= 20 * 20_000 * 2, "{piece}: {large} steps");
    }
}

/// Tags by the thousand, attributes by the thousand in one tag, and whatever else may follow itself.
#[test]
fn no_page_needs_a_deep_stack() {
    let pieces = [
        ("<a", " x=\"y\""),
        ("<a", " x='y'"),
        ("<a", " x=y"),
        ("<a", " x"),
        ("<a", "/"),
        ("<a", " /"),
        ("<a", "=\""),
        ("</a", " x=\"y\""),
        ("", "<a x=\"y\">"),
        ("", "</"),
        ("", "<!"),
        ("", "<?"),
        ("", "&#1;&"),
        ("<!--", "--!-"),
        ("<!--", "<!"),
        ("<!--", "<!--"),
        ("<!DOCTYPE", " a PUBLIC \"b\" 'c'"),
        ("<![CDATA[", "]"),
        ("<script>", "<!--<script>-->"),
        ("<script><!--", "</script"),
        ("<script><!--<script>", "</"),
        ("<style>", "</styl"),
        ("<title>", "&amp;</titl"),
        ("<textarea>", "<"),
        ("<plaintext>", "</plaintext>"),
    ];
    let read = move || {
        for (start, piece) in pieces {
            let page = page(&format!("{start}{}", piece.repeat(50_000)));
            assert!(page.facts.bytes >= 50_000, "{start}{piece}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(read).unwrap().join().unwrap();
}

#[test]
fn what_is_kept_is_bounded() {
    let mut html = "<a href='http://a.example/'>x</a>".repeat(2 * LINKS_MAX);
    html.push_str(&"text ".repeat(TEXT_BYTES_MAX));
    html.push_str("<i hidden>");
    html.push_str(&"text ".repeat(TEXT_BYTES_MAX / 4));
    let page = page(&html);
    assert_eq!(page.links.len(), LINKS_MAX);
    assert!(page.facts.has_more_links);
    assert!(page.visible.len() <= TEXT_BYTES_MAX && page.hidden.len() <= TEXT_BYTES_MAX);
}

proptest! {
    #[test]
    fn any_page_is_read(html in "(<[/!]?[a-z]{1,5}( (style|href|class|color)=['\"]?[a-z:0 #;-]{0,12}['\"]?)?>?|[a-z &;#é\u{200b}]{0,8}|<style>|<script>|<a href=|</a>|-->){0,40}") {
        let page = page(&html);
        prop_assert!(page.visible.len() + page.hidden.len() <= 4 * html.len() + 100);
    }
}
