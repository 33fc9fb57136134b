//! The record on the disk: one file, written aside and put in place whole, with a checksum over all of it.
//!
//! `GPREPUT1`, then one entry for each key: a byte for the kind of key, the key, five counters as f32, two times as u32, the
//! class; numbers little-endian. A byte 0 ends the entries, and the CRC-32 of all before it ends the file. A file that is not
//! exactly so is damaged as a whole, and is set aside: the record is learnt again within days.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crc32fast::Hasher;

use super::table::Kept;
use super::{Class, Key, Record, Tally};

const MAGIC: &[u8; 8] = b"GPREPUT1";
const END: u8 = 0;
const ADDRESS_V4: u8 = 1;
const ADDRESS_V6: u8 = 2;
const NETWORK_V4: u8 = 3;
const NETWORK_V6: u8 = 4;
const HELO: u8 = 5;
const CLAIMED_HELO: u8 = 6;
const DOMAIN: u8 = 7;

/// Bytes of a file that is read: far more than any record may take in memory.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// A file that is no snapshot, or no longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    what: &'static str,
}

/// What became of the file at start.
#[derive(Debug, PartialEq, Eq)]
pub enum Loaded {
    /// There is none yet.
    Nothing,
    /// Read; keys that were in it.
    Keys(usize),
    /// Damaged, and set aside under this name.
    SetAside(PathBuf, Damage),
}

/// Writes a snapshot of the record to `path`. Others learn meanwhile; each key is whole. Blocks on the disk.
///
/// # Errors
/// Those of the disk; the snapshot before stays then.
pub fn save(record: &Record, path: &Path) -> io::Result<()> {
    let aside = path.with_extension("new");
    let mut out = Summed {
        file: BufWriter::new(created(&aside)?),
        sum: Hasher::new(),
    };
    out.write_all(MAGIC)?;
    let mut result = Ok(());
    let mut bytes = Vec::new();
    record.table.each_part(|entries| {
        bytes.clear();
        for (key, kept) in entries {
            write_entry(key, kept, &mut bytes);
        }
        if result.is_ok() {
            result = out.write_all(&bytes);
        }
    });
    result?;
    out.write_all(&[END])?;
    let sum = out.sum.clone().finalize();
    out.write_all(&sum.to_le_bytes())?;
    let file = out
        .file
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    in_place(&file, &aside, path)
}

fn created(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o640);
    options.open(path)
}

/// What is written aside takes its place once it is on the disk.
fn in_place(file: &File, aside: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(aside, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Puts these bytes in place of the file at `path`, whole or not at all.
pub(in crate::reputation) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("new");
    let mut file = created(&aside)?;
    file.write_all(bytes)?;
    in_place(&file, &aside, path)
}

/// Reads what was saved to `path` into the record. Blocks on the disk.
///
/// # Errors
/// Those of the disk.
pub fn load(record: &Record, path: &Path, now: u32) -> io::Result<Loaded> {
    let bytes = match fs::metadata(path) {
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => Vec::new(),
        Ok(_) => fs::read(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Nothing),
        Err(error) => return Err(error),
    };
    // Twice over the bytes, so that nothing is believed of a file whose sum is wrong.
    match check(&bytes).and_then(|entries| each(entries, |_, _| ())) {
        Ok(_) => {}
        Err(damage) => {
            let aside = path.with_extension("damaged");
            fs::rename(path, &aside)?;
            return Ok(Loaded::SetAside(aside, damage));
        }
    }
    let restored = check(&bytes)
        .and_then(|entries| each(entries, |key, kept| record.table.restore(key, kept, now)));
    Ok(Loaded::Keys(restored.unwrap_or_default()))
}

/// Reads a snapshot as it lies on a disk: how many keys it has.
///
/// # Errors
/// [`Damage`] says what is wrong.
pub fn read(bytes: &[u8], record: &Record, now: u32) -> Result<usize, Damage> {
    let entries = check(bytes)?;
    each(entries, |_, _| ())?;
    each(entries, |key, kept| record.table.restore(key, kept, now))
}

/// The bytes of a snapshot.
pub fn written(record: &Record) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    record.table.each_part(|entries| {
        for (key, kept) in entries {
            write_entry(key, kept, &mut bytes);
        }
    });
    bytes.push(END);
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// The entries of a file whose beginning, end and sum are right.
fn check(bytes: &[u8]) -> Result<&[u8], Damage> {
    let Some((content, sum)) = bytes.split_last_chunk::<4>() else {
        return Err(damage("it is too short"));
    };
    let Some(entries) = content.strip_prefix(MAGIC) else {
        return Err(damage("it does not begin as a record of senders does"));
    };
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Err(damage("its checksum is wrong"));
    }
    Ok(entries)
}

/// Reads one entry after the other; tells how many there were.
fn each(mut rest: &[u8], mut see: impl FnMut(Key, Kept)) -> Result<usize, Damage> {
    let mut count = 0;
    loop {
        let kind = take::<1>(&mut rest)?;
        if kind == [END] {
            return match rest {
                [] => Ok(count),
                _ => Err(damage("something follows its end")),
            };
        }
        let key = read_key(kind, &mut rest)?;
        let kept = read_kept(&mut rest)?;
        see(key, kept);
        count += 1;
    }
}

fn read_key([kind]: [u8; 1], rest: &mut &[u8]) -> Result<Key, Damage> {
    let v4 = |octets: [u8; 4]| IpAddr::V4(Ipv4Addr::from(octets));
    let v6 = |octets: [u8; 16]| IpAddr::V6(Ipv6Addr::from(octets));
    let key = match kind {
        ADDRESS_V4 => Key::Address(v4(take(rest)?)),
        ADDRESS_V6 => Key::Address(v6(take(rest)?)),
        NETWORK_V4 => Key::Network(v4(take(rest)?)),
        NETWORK_V6 => Key::Network(v6(take(rest)?)),
        HELO => Key::Helo(read_name(rest)?),
        CLAIMED_HELO => Key::ClaimedHelo(read_name(rest)?),
        DOMAIN => Key::Domain(read_name(rest)?),
        _ => return Err(damage("it has a key of an unknown kind")),
    };
    let is_as_made = match key {
        Key::Address(ip) => Key::address(ip) == key,
        Key::Network(ip) => Key::network(ip) == key,
        _ => true,
    };
    if is_as_made {
        Ok(key)
    } else {
        Err(damage("it has an address that is not as keys have them"))
    }
}

fn read_name(rest: &mut &[u8]) -> Result<Box<str>, Damage> {
    let [length] = take::<1>(rest)?;
    let (name, behind) = rest
        .split_at_checked(usize::from(length))
        .ok_or(damage("it is cut off"))?;
    *rest = behind;
    let name = str::from_utf8(name).map_err(|_| damage("it has a name that is no text"))?;
    match super::key::name_of(name) {
        Some(as_made) if *as_made == *name => Ok(as_made),
        _ => Err(damage("it has a name that is not as keys have them")),
    }
}

fn read_kept(rest: &mut &[u8]) -> Result<Kept, Damage> {
    let mut counts = [0.0_f32; 5];
    for count in &mut counts {
        *count = f32::from_le_bytes(take(rest)?);
    }
    let [good, bad, unknown, known, refused] = counts;
    let tally = Tally {
        good,
        bad,
        unknown,
        known,
        refused,
    };
    if !tally.is_sane() {
        return Err(damage("it has a count that is none"));
    }
    let updated = u32::from_le_bytes(take(rest)?);
    let first_seen = u32::from_le_bytes(take(rest)?);
    let [class] = take::<1>(rest)?;
    let class = Class::ALL
        .get(usize::from(class))
        .ok_or(damage("it has a class that is none"))?;
    Ok(Kept {
        tally,
        updated,
        first_seen,
        class: *class,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Damage> {
    let (taken, behind) = rest
        .split_first_chunk::<N>()
        .ok_or(damage("it is cut off"))?;
    *rest = behind;
    Ok(*taken)
}

fn write_entry(key: &Key, kept: &Kept, out: &mut Vec<u8>) {
    let mut ip = |v4, v6, ip: &IpAddr| match ip {
        IpAddr::V4(ip) => {
            out.push(v4);
            out.extend(ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(v6);
            out.extend(ip.octets());
        }
    };
    match key {
        Key::Address(address) => ip(ADDRESS_V4, ADDRESS_V6, address),
        Key::Network(network) => ip(NETWORK_V4, NETWORK_V6, network),
        Key::Helo(name) => write_name(HELO, name, out),
        Key::ClaimedHelo(name) => write_name(CLAIMED_HELO, name, out),
        Key::Domain(name) => write_name(DOMAIN, name, out),
    }
    let Tally {
        good,
        bad,
        unknown,
        known,
        refused,
    } = kept.tally;
    for count in [good, bad, unknown, known, refused] {
        out.extend(count.to_le_bytes());
    }
    out.extend(kept.updated.to_le_bytes());
    out.extend(kept.first_seen.to_le_bytes());
    let class = Class::ALL.iter().position(|class| *class == kept.class);
    out.push(
        class
            .and_then(|class| u8::try_from(class).ok())
            .unwrap_or(2),
    );
}

/// A name of a key has at most 253 bytes.
fn write_name(kind: u8, name: &str, out: &mut Vec<u8>) {
    out.push(kind);
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend(name.bytes().take(usize::from(u8::MAX)));
}

fn damage(what: &'static str) -> Damage {
    Damage { what }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for Damage {}

/// A file whose content is summed up as it is written.
struct Summed {
    file: BufWriter<File>,
    sum: Hasher,
}

impl Summed {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.file.write_all(bytes)
    }
}

#[cfg(test)]
mod tests;
