//! `cargo xtask specimens`: legitimate modern mail, rendered from the layouts and texts of `testdata/legitimate`.
//!
//! `collection` reads the folder; `recipient` makes up who gets a copy and every value that differs from copy to copy;
//! `blocks` turns a text into HTML by its layout, and into plain text; `mime` encodes; `attached` makes pictures,
//! documents and invitations; `compose` puts a message together. The same seed gives the same bytes. No copy is signed:
//! a signature that does not verify would say more than none.

mod attached;
mod blocks;
mod collection;
mod compose;
mod mime;
mod recipient;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::arguments::Arguments;
use crate::workspace;

use self::collection::Collection;
use self::recipient::{Recipient, Years};

/// Writes the specimens and `index.tsv`, which names for each file its message, language, kind, sender and recipient.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let out = arguments.value("--out")?;
    let out = out.context("say where the messages go: --out DIR")?;
    let copies = arguments.number("--per-message")?.unwrap_or(1);
    let seed = arguments.number("--seed")?.unwrap_or(1);
    let years = match arguments.number("--year")? {
        Some(year) => Years::one(u32::try_from(year).context("--year is too large")?)?,
        None => Years::default(),
    };
    arguments.finish()?;
    let collection = Collection::read(&workspace::root().join("testdata/legitimate"))?;
    let count = write(&collection, Path::new(&out), copies, seed, years)?;
    let messages = collection.messages.len();
    println!("{count} copies of {messages} messages in {out}");
    Ok(true)
}

/// One copy of each message, all of one year.
pub(crate) fn write_year(out: &Path, year: u32) -> Result<usize> {
    let collection = Collection::read(&workspace::root().join("testdata/legitimate"))?;
    write(&collection, out, 1, 1, Years::one(year)?)
}

fn write(
    collection: &Collection,
    out: &Path,
    copies: u64,
    seed: u64,
    years: Years,
) -> Result<usize> {
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let mut index = String::from("file\tmessage\tlanguage\tkind\tsender\trecipient\n");
    let mut count = 0;
    for message in &collection.messages {
        for copy in 0..copies {
            let locale = collection.locale(message)?;
            let recipient = Recipient::new(message, locale, seed, copy, years);
            let bytes = compose::message(collection, message, &recipient)
                .with_context(|| message.id.clone())?;
            let name = format!("{}.{copy:04}.eml", message.id);
            fs::write(out.join(&name), bytes).with_context(|| name.clone())?;
            let (kind, language) = (message.kind.name(), &message.language);
            let (sender, address) = (message.sender_address(), &recipient.address);
            let id = &message.id;
            writeln!(
                index,
                "{name}\t{id}\t{language}\t{kind}\t{sender}\t{address}"
            )?;
            count += 1;
        }
    }
    fs::write(out.join("index.tsv"), index).context("index.tsv")?;
    Ok(count)
}

#[cfg(test)]
mod tests;
