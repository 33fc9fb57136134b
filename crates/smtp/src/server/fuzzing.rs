//! Bodies of the fuzz targets `data`, `bdat` and `session`: whatever bytes come, decoding agrees
//! with a slow reference, and the same bytes in any pieces give the same requests and replies.
//!
//! Each panics if that does not hold. The tests run them over the seed corpora too.

use std::sync::Arc;

use super::data::{Bounds, Decoder, Piece};
use super::{Answer, AuthOffer, BareNewline, Defect, Request, Session, Settings, Step, Trust};
use crate::dot;
use crate::limits::{COMMAND_LINE_BYTES_MAX, LINE_BYTES_MAX};
use crate::reply::Reply;
use crate::status::Status;

/// Mail data as DATA carries it. The first byte chooses the bounds; a byte 0xFE stands for 3,000
/// letters, so that small inputs reach the limits.
pub fn data(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else {
        return;
    };
    let bounds = bounds(choice);
    let wire = expand(rest);
    let whole = decode(&wire, wire.len(), true, bounds);
    for piece_bytes in [1, 2, 7] {
        let pieces = decode(&wire, piece_bytes, true, bounds);
        assert_eq!(pieces, whole, "pieces of {piece_bytes} bytes");
    }
    let end = end_of_data(&wire);
    assert_eq!(whole.used, end.map(|(_, used)| used));
    if let Some((data_bytes, _)) = end {
        let expected = reference(&unstuffed(&wire[..data_bytes]), bounds);
        assert_eq!((&whole.content, whole.defect), (&expected.0, expected.1));
    }
    if whole.used.is_some() && whole.defect.is_none() {
        round_trip(&whole.content, bounds);
    }
}

/// Mail data as BDAT carries it: the first byte chooses the bounds, the second the chunk size.
pub fn bdat(bytes: &[u8]) {
    let [choice, chunk, rest @ ..] = bytes else {
        return;
    };
    let bounds = bounds(*choice);
    let content = expand(rest);
    let mut settings = Settings::new("mx.example.net");
    settings.message_size_max = bounds.message_bytes_max;
    settings.header_bytes_max = bounds.header_bytes_max as usize;
    if bounds.normalise {
        settings.bare_newline = BareNewline::Normalise;
    }
    let settings = Arc::new(settings);
    let chunk_bytes = usize::from(*chunk).max(1) * 16;
    let mut wire = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n".to_vec();
    for piece in content.chunks(chunk_bytes) {
        wire.extend_from_slice(format!("BDAT {}\r\n", piece.len()).as_bytes());
        wire.extend_from_slice(piece);
    }
    wire.extend_from_slice(b"BDAT 0 LAST\r\n");
    let whole = play(&settings, Trust::default(), &wire, &[usize::MAX], 0);
    assert_eq!(play(&settings, Trust::default(), &wire, &[1], 0), whole);
    let expected = reference(&tokens(&content), bounds);
    let got: Vec<u8> = (whole.events.iter())
        .flat_map(Event::content)
        .copied()
        .collect();
    // A chunk that is announced too large is not even begun, so less may come than fits.
    assert!(expected.0.starts_with(&got));
    let announced_too_much = content.len() as u64 > bounds.message_bytes_max;
    if expected.1.is_none() && !announced_too_much {
        assert_eq!(got, expected.0);
    }
    let refused = String::from_utf8_lossy(&whole.output).contains("\r\n55");
    assert_eq!(refused, expected.1.is_some() || announced_too_much);
}

/// A session. The first byte chooses the settings, the second the answers, the third the pieces.
pub fn session(bytes: &[u8]) {
    let [choice, seed, cut, wire @ ..] = bytes else {
        return;
    };
    let mut settings = Settings::new("mx.example.net");
    settings.starttls = choice & 1 != 0;
    settings.auth = if choice & 2 != 0 {
        AuthOffer::Always
    } else {
        AuthOffer::OverTls
    };
    settings.bare_newline = if choice & 4 != 0 {
        BareNewline::Normalise
    } else {
        BareNewline::Refuse
    };
    if choice & 8 != 0 {
        settings.message_size_max = 100;
        settings.recipients_max = 2;
    }
    settings.smtputf8 = choice & 16 != 0;
    settings.chunking = choice & 32 == 0;
    let trust = Trust {
        xclient: choice & 64 != 0,
    };
    let settings = Arc::new(settings);
    let whole = play(&settings, trust, wire, &[usize::MAX], *seed);
    well_formed(&whole.output);
    let cuts = [usize::from(*cut % 16) + 1, usize::from(*cut / 16) + 1];
    for cuts in [&[1][..], &cuts[..]] {
        assert_eq!(play(&settings, trust, wire, cuts, *seed), whole, "{cuts:?}");
    }
}

/// Everything that a session did.
#[derive(Debug, PartialEq, Eq)]
struct Played {
    /// Each with the bytes of output that stood before it.
    events: Vec<Event>,
    output: Vec<u8>,
    bad_commands: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Request(Request, usize),
    Content(Vec<u8>),
    Other(String, usize),
}

impl Event {
    fn content(&self) -> &[u8] {
        match self {
            Event::Content(content) => content,
            _ => &[],
        }
    }
}

/// Plays a session until it closes, wants TLS or has used all bytes; pieces are cut by turns.
fn play(settings: &Arc<Settings>, trust: Trust, wire: &[u8], cuts: &[usize], seed: u8) -> Played {
    let mut session = Session::new(Arc::clone(settings), trust);
    session.banner();
    let mut events = Vec::new();
    let mut rest = wire;
    let mut cuts = cuts.iter().cycle();
    'pieces: while !rest.is_empty() {
        let piece_bytes = cuts.next().map_or(1, |cut| *cut).min(rest.len());
        let (mut piece, after) = rest.split_at(piece_bytes);
        rest = after;
        loop {
            let step = session.next(&mut piece);
            assert!(session.line.kept_bytes() <= COMMAND_LINE_BYTES_MAX);
            let written = session.output.len();
            match step {
                Step::Read => break,
                Step::Request(request) => {
                    let answer = scripted(&session, &request, seed, events.len());
                    events.push(Event::Request(request, written));
                    session.answer(answer);
                }
                Step::Content(content) => match events.last_mut() {
                    Some(Event::Content(before)) => before.extend_from_slice(content),
                    _ => events.push(Event::Content(content.to_vec())),
                },
                Step::Reset => events.push(Event::Other("reset".into(), written)),
                Step::StartTls => {
                    events.push(Event::Other("tls".into(), written));
                    break 'pieces;
                }
                Step::Close(reason) => {
                    events.push(Event::Other(format!("{reason:?}"), written));
                    break 'pieces;
                }
            }
        }
        assert!(piece.is_empty(), "Read means that all input is used");
    }
    Played {
        bad_commands: session.bad_commands(),
        output: session.take_output(),
        events,
    }
}

/// Mostly yes; with a seed, now and then no. Depends on nothing that the cuts could change.
fn scripted(session: &Session, request: &Request, seed: u8, turn: usize) -> Answer {
    let dice = (turn as u32 + 1)
        .wrapping_mul(2_654_435_761)
        .wrapping_mul(u32::from(seed))
        >> 24;
    if matches!(request, Request::End(_)) && session.is_prdr() {
        let replies = vec![Reply::new(250, Status::OK, "kept"); session.recipients()];
        let last = Reply::new(250, Status::OK, "done");
        return Answer::Recipients { replies, last };
    }
    match dice {
        250..=255 => Answer::Reply(Reply::new(421, Status::NOT_ACCEPTING, "not now")),
        230..250 => Answer::Reply(Reply::new(450, Status::POLICY_TRANSIENT, "later")),
        200..230 => Answer::Reply(Reply::new(550, Status::NOT_AUTHORISED, "no\nnever")),
        180..200 => Answer::Reply(Reply::new(250, Status::OK, "as you like")),
        _ => Answer::Accept,
    }
}

fn well_formed(output: &[u8]) {
    assert!(output.ends_with(b"\r\n"));
    for line in output.split(|byte| *byte == b'\n') {
        if let Some(line) = line.strip_suffix(b"\r") {
            assert!(line.len() + 2 <= crate::limits::REPLY_LINE_BYTES_MAX);
            assert!(
                line.get(..3)
                    .is_some_and(|code| code.iter().all(u8::is_ascii_digit))
            );
            assert!(matches!(line.get(3), Some(b' ' | b'-')));
            assert!(!line.iter().any(u8::is_ascii_control));
        } else {
            assert!(line.is_empty());
        }
    }
}

fn bounds(choice: u8) -> Bounds {
    Bounds {
        message_bytes_max: [1 << 20, 30, 9_000][usize::from(choice) % 3],
        header_bytes_max: [1 << 20, 10, 8_500][usize::from(choice / 3) % 3],
        normalise: choice & 0x80 != 0,
    }
}

fn expand(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        match byte {
            0xfe => out.resize(out.len() + 3_000, b'x'),
            _ => out.push(*byte),
        }
    }
    out
}

#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    content: Vec<u8>,
    defect: Option<Defect>,
    counts: super::Content,
    /// Bytes used up to the end of the data, if it came.
    used: Option<usize>,
}

fn decode(wire: &[u8], piece_bytes: usize, dots: bool, bounds: Bounds) -> Decoded {
    let mut decoder = if dots {
        Decoder::with_dots()
    } else {
        Decoder::default()
    };
    let mut content = Vec::new();
    let mut used = None;
    let mut before = 0;
    'pieces: for piece in wire.chunks(piece_bytes.max(1)) {
        let mut input = piece;
        loop {
            match decoder.next(&mut input, bounds) {
                Piece::Content(slice) => content.extend_from_slice(slice),
                Piece::More => break,
                Piece::End => {
                    used = Some(before + piece.len() - input.len());
                    break 'pieces;
                }
                Piece::TooMuch => panic!("no input here is that long"),
            }
        }
        before += piece.len();
    }
    let counts = decoder.content();
    assert_eq!(counts.bytes, content.len() as u64);
    assert_eq!(counts.eight_bit, !content.is_ascii());
    let defect = decoder.defect();
    Decoded {
        content,
        defect,
        counts,
        used,
    }
}

/// What our client sends, our server reads.
fn round_trip(content: &[u8], bounds: Bounds) {
    let mut wire = Vec::new();
    let mut encoder = dot::Encoder::new();
    encoder.encode(content, &mut wire);
    encoder.finish(&mut wire);
    let again = decode(&wire, wire.len(), true, bounds);
    assert_eq!(
        (again.content.as_slice(), again.used),
        (content, Some(wire.len()))
    );
}

/// The end of DATA by definition: how many bytes are data, and how many with the dot.
fn end_of_data(wire: &[u8]) -> Option<(usize, usize)> {
    if wire.starts_with(b".\r\n") {
        return Some((0, 3));
    }
    let at = wire.windows(5).position(|window| window == b"\r\n.\r\n")?;
    Some((at + 2, at + 5))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Text(u8),
    Crlf,
    Bare,
}

fn tokens(bytes: &[u8]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\r' if after.first() == Some(&b'\n') => {
                rest = &after[1..];
                out.push(Token::Crlf);
            }
            b'\r' | b'\n' => out.push(Token::Bare),
            _ => out.push(Token::Text(byte)),
        }
    }
    out
}

/// RFC 5321 4.5.2, line by line.
fn unstuffed(data: &[u8]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut line_start = true;
    for token in tokens(data) {
        let stuffed = line_start && token == Token::Text(b'.');
        line_start = token == Token::Crlf;
        if !stuffed {
            out.push(token);
        }
    }
    out
}

/// The content up to its first defect, token by token.
fn reference(tokens: &[Token], bounds: Bounds) -> (Vec<u8>, Option<Defect>) {
    let mut content = Vec::new();
    let (mut line, mut header, mut in_header) = (0usize, 0u64, true);
    for token in tokens {
        let size = content.len() as u64;
        let Token::Text(byte) = *token else {
            if *token == Token::Bare && !bounds.normalise {
                return (content, Some(Defect::BareNewline));
            }
            if size + 2 > bounds.message_bytes_max {
                return (content, Some(Defect::TooLarge));
            }
            in_header = in_header && line > 0;
            if in_header && header + 2 > bounds.header_bytes_max {
                return (content, Some(Defect::HeaderTooLarge));
            }
            header += 2;
            line = 0;
            content.extend_from_slice(b"\r\n");
            continue;
        };
        if line + 1 > LINE_BYTES_MAX - 2 {
            return (content, Some(Defect::LineTooLong));
        }
        if size + 1 > bounds.message_bytes_max {
            return (content, Some(Defect::TooLarge));
        }
        if in_header && header + 1 > bounds.header_bytes_max {
            return (content, Some(Defect::HeaderTooLarge));
        }
        content.push(byte);
        line += 1;
        header += 1;
    }
    (content, None)
}
