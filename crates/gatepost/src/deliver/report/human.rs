//! The part for people: plain text in the language of the route, first what happened, then what the server said, then what
//! to do, and last whom to ask with which reference.

use smtp::ForwardPath;

use super::words::{self, Advice, Words};
use super::{Action, Letter, Told, date_of, encode, original};

/// Columns of a line, as most people's windows have them.
const COLUMNS: usize = 72;

/// Recipients that are named; the part for programs has all.
const RECIPIENTS_MAX: usize = 100;

/// The part with its header fields; it ends with a line end.
pub(super) fn part(letter: &Letter<'_>) -> Vec<u8> {
    let text = text(letter);
    let mut out = Vec::with_capacity(text.len() + 256);
    let mut field = |text: &str| {
        out.extend(text.as_bytes());
        out.extend(b"\r\n");
    };
    if text.is_ascii() {
        field("Content-Type: text/plain; charset=us-ascii");
    } else {
        field("Content-Type: text/plain; charset=utf-8");
        field("Content-Transfer-Encoding: quoted-printable");
    }
    field(&format!(
        "Content-Language: {}\r\n",
        words::of(letter.facts.language).tag
    ));
    match text.is_ascii() {
        true => out.extend(text.into_bytes()),
        false => out.extend(encode::quoted_printable(text.as_bytes())),
    }
    out
}

fn text(letter: &Letter<'_>) -> String {
    let words = words::of(letter.facts.language);
    let mut out = String::with_capacity(2048);
    if letter.to_postmaster {
        paragraph(&mut out, words.to_postmaster);
        let path = &letter.facts.envelope.reverse_path;
        indented(&mut out, &path.to_wire());
        let left_out = letter.facts.left_out;
        if left_out > 0 {
            let text = words.left_out.replace("{count}", &left_out.to_string());
            paragraph(&mut out, &text);
        }
    }
    for action in Action::ALL {
        let told: Vec<&Told<'_>> = letter
            .told
            .iter()
            .filter(|told| told.concerned.action == action)
            .collect();
        if !told.is_empty() {
            section(&mut out, words, letter, action, &told);
        }
    }
    signature(&mut out, words, letter);
    out
}

/// What became of the message for the recipients of one action.
fn section(
    out: &mut String,
    words: &Words,
    letter: &Letter<'_>,
    action: Action,
    told: &[&Told<'_>],
) {
    paragraph(out, words.happened(action));
    for run in told
        .iter()
        .take(RECIPIENTS_MAX)
        .collect::<Vec<_>>()
        .chunk_by(|a, b| alike(a, b))
    {
        for told in run {
            indented(out, &address(&told.recipient.forward_path));
        }
        let Some(first) = run.first() else { continue };
        if matches!(action, Action::Failed | Action::Delayed) {
            said(out, words, first);
        }
        if let (Action::Failed, false) = (action, letter.to_postmaster) {
            paragraph(out, words.advice(Advice::of(first.concerned.status)));
        }
    }
    if let Some(more) = told
        .len()
        .checked_sub(RECIPIENTS_MAX)
        .filter(|more| *more > 0)
    {
        paragraph(out, &words.more.replace("{count}", &more.to_string()));
    }
    match action {
        Action::Delayed => {
            let until = told
                .iter()
                .filter_map(|told| told.concerned.will_retry_until)
                .max();
            match until {
                Some(until) => {
                    let date = date_of(until, letter.facts.now.time_zone());
                    paragraph(out, &words.delayed_until.replace("{date}", &date));
                }
                None => paragraph(out, words.delayed),
            }
        }
        Action::Relayed => paragraph(out, words.relayed),
        Action::Failed | Action::Expanded | Action::Delivered => {}
    }
}

/// Whether one explanation is enough for both.
fn alike(a: &Told<'_>, b: &Told<'_>) -> bool {
    let (a, b) = (a.concerned, b.concerned);
    (a.status, a.diagnostic, a.remote_mta) == (b.status, b.diagnostic, b.remote_mta)
}

fn said(out: &mut String, words: &Words, told: &Told<'_>) {
    let diagnostic = encode::sanitised(told.concerned.diagnostic);
    if diagnostic.is_empty() {
        return;
    }
    let name = told
        .concerned
        .remote_mta
        .map(encode::sanitised)
        .filter(|name| !name.is_empty());
    match (told.concerned.is_reply, name) {
        (true, Some(name)) => paragraph(out, &words.server_said.replace("{server}", &name)),
        (true, None) => paragraph(out, words.a_server_said),
        (false, _) => paragraph(out, words.cause),
    }
    indented(out, &diagnostic);
}

/// Which message it was, and whom to ask.
fn signature(out: &mut String, words: &Words, letter: &Letter<'_>) {
    let facts = letter.facts;
    let zone = facts.now.time_zone();
    paragraph(out, words.message_was);
    let mut lines = String::new();
    if let Some(subject) = original::subject(facts.content) {
        lines.push_str(&format!("{} {subject}\n", words.subject_label));
    }
    lines.push_str(&format!(
        "{} {}\n",
        words.date_label,
        date_of(facts.envelope.arrived, zone)
    ));
    let reference = encode::sanitised(&facts.envelope.reference);
    lines.push_str(&format!("{} {reference}", words.reference_label));
    for line in lines.lines() {
        for line in encode::wrapped(line, COLUMNS - 4) {
            out.push_str(&format!("    {line}\r\n"));
        }
    }
    out.push_str("\r\n");
    if !letter.to_postmaster {
        let postmaster = encode::mailbox(&facts.reporter.postmaster);
        paragraph(out, &words.ask.replace("{postmaster}", &postmaster));
    }
    out.push_str("-- \r\n");
    out.push_str(&format!("{} {}\r\n", words.made_by, facts.reporter.name));
}

fn address(path: &ForwardPath) -> String {
    let text = path.to_string();
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

fn paragraph(out: &mut String, text: &str) {
    for line in encode::wrapped(text, COLUMNS) {
        out.push_str(&line);
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
}

/// Lines of a paragraph that stands in by four; neighbours make one block.
fn indented(out: &mut String, text: &str) {
    if let Some(shorter) = out.strip_suffix("\r\n\r\n")
        && shorter
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("    "))
    {
        out.truncate(out.len() - 2);
    }
    for line in encode::wrapped(text, COLUMNS - 4) {
        out.push_str(&format!("    {line}\r\n"));
    }
    out.push_str("\r\n");
}
