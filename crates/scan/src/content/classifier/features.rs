//! The features of a message: words, pairs of words, what its header and its links are like, the symbols of the rules.
//!
//! Left out is what dates a message or tells where it was received: dates, years, trace fields, versions of mailers,
//! names of lists. Numbers are taken by their shape only. Each group of features has the same length whatever its size,
//! so that a long message is not surer than a short one.

use crate::content::reading::Reading;
use crate::content::reading::link::{Link, Place};
use crate::content::rules::Hit;

/// Buckets that features are hashed to.
pub const BUCKETS: usize = 1 << 20;

/// The revision of what is taken for a feature: a model goes with one.
pub const REVISION: u32 = 2;

/// Words of the text that are looked at.
const WORDS_MAX: usize = 4_000;

/// Links that are looked at.
const LINKS_MAX: usize = 100;

/// Characters from which on a word is taken by its shape.
const WORD_CHARS_MAX: usize = 24;

/// A feature: the bucket that it is hashed to, and its strength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// Below `BUCKETS`.
    pub bucket: u32,
    /// Strength; the squares of a group add up to its importance.
    pub value: f32,
}

/// The features of one message, each bucket once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    features: Vec<Feature>,
    points: f32,
    names: Vec<(Feature, String)>,
}

impl Features {
    /// The features of what was read and of what the rules found.
    pub fn of(reading: &Reading, hits: &[Hit]) -> Features {
        Features::taken(reading, hits, false)
    }

    /// The same with the names by which a verdict is explained.
    pub fn with_names(reading: &Reading, hits: &[Hit]) -> Features {
        Features::taken(reading, hits, true)
    }

    /// The sum of the weights of the rules that match: what a model's opinion starts from.
    pub fn points(&self) -> f32 {
        self.points
    }

    /// Each bucket with its strength.
    pub fn iter(&self) -> impl Iterator<Item = &Feature> {
        self.features.iter()
    }

    /// The features with their names, as far as they were taken with names.
    pub fn named(&self) -> impl Iterator<Item = (Feature, &str)> {
        self.names
            .iter()
            .map(|(feature, name)| (*feature, name.as_str()))
    }

    fn taken(reading: &Reading, hits: &[Hit], is_named: bool) -> Features {
        let mut features = Features {
            points: hits.iter().map(|hit| hit.weight).sum(),
            ..Features::default()
        };
        let mut group = |importance: f32, take: &dyn Fn(&mut Group)| {
            let mut group = Group {
                buckets: Vec::new(),
                names: Vec::new(),
                is_named,
            };
            take(&mut group);
            features.add(group, importance);
        };
        group(1.0, &|group| text(group, "word", reading.visible(), false));
        group(1.0, &|group| text(group, "words", reading.visible(), true));
        group(0.7, &|group| subject(group, reading.subject()));
        group(0.7, &|group| header(group, reading));
        group(0.7, &|group| links(group, reading.links()));
        group(0.5, &|group| form(group, reading));
        group(1.0, &|group| {
            for hit in hits {
                group.add("symbol", &hit.symbol);
            }
        });
        features.features.sort_by_key(|feature| feature.bucket);
        features.features.dedup_by(|later, kept| {
            let is_same = later.bucket == kept.bucket;
            if is_same {
                kept.value = kept.value.max(later.value);
            }
            is_same
        });
        features
    }

    fn add(&mut self, mut group: Group, importance: f32) {
        group.buckets.sort_unstable();
        group.buckets.dedup();
        // A group of few features is no stronger than one of some: a single word proves little.
        let value = importance / (group.buckets.len().max(4) as f32).sqrt();
        let feature = |bucket| Feature { bucket, value };
        self.features
            .extend(group.buckets.iter().copied().map(feature));
        let names = group.names.into_iter();
        self.names
            .extend(names.map(|(bucket, name)| (feature(bucket), name)));
    }
}

/// The features of one kind, before their strength is known.
struct Group {
    buckets: Vec<u32>,
    names: Vec<(u32, String)>,
    is_named: bool,
}

impl Group {
    fn add(&mut self, kind: &str, value: &str) {
        let bucket = bucket(kind, value);
        self.buckets.push(bucket);
        if self.is_named {
            self.names.push((bucket, format!("{kind}:{value}")));
        }
    }
}

/// FNV-1a of kind and value, folded to the number of buckets.
fn bucket(kind: &str, value: &str) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in kind.bytes().chain([b':']).chain(value.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let folded = (hash ^ (hash >> 32)) & (BUCKETS as u64 - 1);
    u32::try_from(folded).unwrap_or_default()
}

/// The words of a text in lower case, numbers by their shape, at most `WORDS_MAX`.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|char: char| {
        !(char.is_alphanumeric() || matches!(char, '\'' | '$' | '€' | '£' | '%'))
    })
    .filter(|word| !word.is_empty())
    .take(WORDS_MAX)
    .map(word)
}

fn word(word: &str) -> String {
    let mut shape = String::with_capacity(word.len().min(4 * WORD_CHARS_MAX));
    let mut is_number = false;
    for char in word.chars().take(WORD_CHARS_MAX + 1) {
        if char.is_numeric() {
            if !is_number {
                shape.push('0');
            }
            is_number = true;
        } else {
            is_number = false;
            shape.extend(char.to_lowercase());
        }
    }
    if shape.chars().count() > WORD_CHARS_MAX {
        return "(long)".to_owned();
    }
    shape
}

fn text(group: &mut Group, kind: &str, text: &str, is_pairs: bool) {
    let mut before: Option<String> = None;
    for word in words(text) {
        if !is_pairs {
            group.add(kind, &word);
        } else if let Some(before) = before.replace(word.clone()) {
            group.add(kind, &format!("{before} {word}"));
        }
    }
}

fn subject(group: &mut Group, subject: &str) {
    // The name of a list in brackets says where a message was gathered, not what it is.
    let bare = match (subject.find('['), subject.find(']')) {
        (Some(from), Some(to)) if from < to => [subject.get(..from), subject.get(to + 1..)]
            .map(Option::unwrap_or_default)
            .concat(),
        _ => subject.to_owned(),
    };
    text(group, "subject", &bare, false);
    text(group, "subject", &bare, true);
    let letters = bare.chars().filter(|char| char.is_alphabetic()).count();
    let capitals = bare.chars().filter(|char| char.is_uppercase()).count();
    if letters > 8 && capitals * 2 > letters {
        group.add("subject", "(capitals)");
    }
    if bare.contains('!') {
        group.add("subject", "(!)");
    }
}

fn header(group: &mut Group, reading: &Reading) {
    let header = reading.header();
    for mailbox in header.values("from").take(1) {
        let (name, address) = mailbox.rsplit_once('<').unwrap_or(("", mailbox));
        text(group, "from", name, false);
        if name.trim().is_empty() {
            group.add("from", "(no name)");
        }
        let address = address.trim_end_matches('>');
        if let Some((local, domain)) = address.rsplit_once('@') {
            text(group, "from-local", local, false);
            group.add("from-tld", domain.rsplit('.').next().unwrap_or_default());
        }
    }
    let mut add = |is: bool, name: &str| {
        if is {
            group.add("header", name);
        }
    };
    add(!header.reply_to.is_empty(), "reply-to");
    add(header.sender.is_some(), "sender");
    add(header.to.is_empty(), "no-to");
    add(header.to.len() > 5, "many-to");
    add(header.message_id.is_none(), "no-message-id");
    add(header.is_message_id_malformed, "bad-message-id");
    add(header.is_date_malformed, "bad-date");
    add(header.repeated > 0, "repeated");
    add(
        header.has("in-reply-to") || header.has("references"),
        "reply",
    );
    add(header.has("x-priority"), "x-priority");
    add(header.name_address.is_some(), "name-address");
    add(header.name_brand.is_some(), "name-brand");
    let encoded = |field: &crate::content::reading::header::Field| field.is_encoded;
    add(header.fields.iter().any(encoded), "encoded");
    add(header.fields.iter().any(|field| field.is_raw), "raw");
}

fn links(group: &mut Group, links: &[Link]) {
    for link in links.iter().take(LINKS_MAX) {
        let place = if link.place == Place::Image {
            "image"
        } else {
            "link"
        };
        if let Some(host) = &link.host {
            group.add(place, host.rsplit('.').next().unwrap_or_default());
        }
        if let Some(registrable) = &link.registrable {
            group.add(place, registrable);
        }
        for (is, name) in [
            (link.is_address(), "(address)"),
            (link.port.is_some(), "(port)"),
            (link.is_international(), "(international)"),
            (link.is_shortened(), "(shortened)"),
            (link.is_hosted(), "(hosted)"),
            (link.misleads(), "(misleads)"),
            (link.has_userinfo, "(userinfo)"),
        ] {
            if is {
                group.add(place, name);
            }
        }
        if place == "link" {
            text(
                group,
                "path",
                link.path.get(..200).unwrap_or(&link.path),
                false,
            );
            if let Some(shown) = &link.shown {
                text(group, "shown", shown, false);
            }
        }
    }
    if links.is_empty() {
        group.add("links", "none");
    }
}

fn form(group: &mut Group, reading: &Reading) {
    for oddity in reading.oddities() {
        group.add("oddity", oddity.name());
    }
    for defect in reading.defects() {
        group.add("defect", defect);
    }
    for attached in reading.attachments().iter().take(20) {
        group.add("attached", &attached.extension);
        group.add("attached", &attached.media_type);
    }
    let length = reading.visible().len();
    group.add(
        "length",
        &length.checked_ilog2().unwrap_or_default().to_string(),
    );
    if !reading.hidden().is_empty() {
        group.add("form", "hidden");
    }
}
