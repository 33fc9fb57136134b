//! Who gets a copy, and every value that differs from copy to copy: all of it made up from the seed.
//!
//! A placeholder gives the same value wherever it stands in one copy. Those with a colon take a range or a length, and
//! after a second colon a name, so that a text can have two of a kind: `{amount:20-90}`, `{hex:16:a}`.

use anyhow::{Context, Result, bail, ensure};

use crate::random::Random;

use super::collection::{Locale, Message};

/// The years in which copies are dated, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Years {
    first: u32,
    last: u32,
}

impl Default for Years {
    fn default() -> Years {
        Years {
            first: 2002,
            last: 2026,
        }
    }
}

impl Years {
    /// One year alone.
    pub(super) fn one(year: u32) -> Result<Years> {
        ensure!((1990..=2100).contains(&year), "no year for mail: {year}");
        Ok(Years {
            first: year,
            last: year,
        })
    }
}

/// One copy's recipient and date.
pub(super) struct Recipient<'a> {
    locale: &'a Locale,
    message: &'a Message,
    seed: u64,
    given: String,
    family: String,
    pub(super) address: String,
    /// Days since 1970-01-01.
    day: i64,
    /// Of that day.
    second: u64,
}

const PROVIDERS: &[&str] = &["example.com", "example.net", "example.org", "post.example"];

impl<'a> Recipient<'a> {
    /// The recipient of this copy of `message`.
    pub(super) fn new(
        message: &'a Message,
        locale: &'a Locale,
        seed: u64,
        copy: u64,
        years: Years,
    ) -> Recipient<'a> {
        let seed = hash(&message.id, hash(&copy.to_string(), seed));
        let mut random = Random::new(seed);
        let given = pick(&locale.given, &mut random).to_owned();
        let at = random.below(locale.family.len() as u64) as usize;
        let family = locale.family.get(at).cloned().unwrap_or_default();
        let ascii = locale.ascii.get(at).unwrap_or(&family);
        let provider = PROVIDERS
            .get(random.below(4) as usize)
            .unwrap_or(&"post.example");
        let local: String = ascii
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        let number = random.below(9_000) + 10;
        let address = format!("{local}.{number}@{provider}");
        let year = years.first + random.below(u64::from(years.last - years.first) + 1) as u32;
        Recipient {
            locale,
            message,
            seed,
            given,
            family,
            address,
            day: days(year) + random.below(365) as i64,
            second: random.below(86_400),
        }
    }

    /// The name as it is written in an address field.
    pub(super) fn full(&self) -> String {
        if self.locale.family_first {
            format!("{} {}", self.family, self.given)
        } else {
            format!("{} {}", self.given, self.family)
        }
    }

    /// The values of this placeholder's own.
    pub(super) fn random(&self, of: &str) -> Random {
        Random::new(hash(of, self.seed))
    }

    /// Fills every `{placeholder}`; braces that hold no name are left as they are.
    pub(super) fn fill(&self, text: &str) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, following)) = after.split_once('}') else {
                bail!("a brace is not closed: {after:.30}");
            };
            filled.push_str(&self.value(name)?);
            rest = following;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Result<String> {
        let mut random = self.random(name);
        let mut words = name.split(':');
        let kind = words.next().unwrap_or_default();
        let range = words.next().unwrap_or_default();
        Ok(match kind {
            "first" => self.given.clone(),
            "last" => self.family.clone(),
            "full" => self.full(),
            "email" => self.address.clone(),
            "local" => self.address.replace('@', "="),
            "street" => pick(&self.locale.streets, &mut random)
                .replace('#', &(random.below(140) + 1).to_string()),
            "city" => pick(&self.locale.cities, &mut random).to_owned(),
            "order" => format!("{:08}", random.below(90_000_000) + 10_000_000),
            "code" => format!("{:06}", random.below(1_000_000)),
            "card" => format!("{:04}", random.below(10_000)),
            "time" => format!("{:02}:{:02}", random.below(13) + 8, random.below(12) * 5),
            "ip" => format!("203.0.113.{}", random.below(254) + 1),
            "token" => letters(&mut random, 22, ALNUM),
            "domain" => self.message.sender_domain().to_owned(),
            "org" => self.message.organisation().to_owned(),
            "sender" => self.message.sender_address().to_owned(),
            "brand" => self.message.sender_name().to_owned(),
            "id" => self.message.id.clone(),
            "rfcdate" => self.rfc_date(range.parse().unwrap_or(0)),
            "icsdate" => self.ics_date(range.parse().unwrap_or(0)),
            "year" => civil(self.day).0.to_string(),
            "n" => between(range, &mut random)?.to_string(),
            "amount" => self.amount(range, &mut random)?,
            "hex" => letters(&mut random, length(range)?, b"0123456789abcdef"),
            "digits" => letters(&mut random, length(range)?, b"0123456789"),
            "alnum" => letters(&mut random, length(range)?, ALNUM),
            _ => return self.date(name),
        })
    }

    fn amount(&self, range: &str, random: &mut Random) -> Result<String> {
        let whole = between(range, random)?;
        let cents = [0, 50, 90, 95, 99].get(random.below(5) as usize).copied();
        let mut digits = whole.to_string();
        let mut at = digits.len();
        while at > 3 {
            at -= 3;
            digits.insert_str(at, &self.locale.group);
        }
        // Currencies without a smaller coin have no decimal mark.
        if !self.locale.decimal.is_empty() {
            digits = format!("{digits}{}{:02}", self.locale.decimal, cents.unwrap_or(0));
        }
        Ok(self.locale.amount.replace("{n}", &digits))
    }

    /// `date`, or some days later or earlier: `date+3`.
    fn date(&self, name: &str) -> Result<String> {
        let offset = name.strip_prefix("date");
        let offset = offset.with_context(|| format!("no placeholder {{{name}}}"))?;
        let offset: i64 = match offset {
            "" => 0,
            other => other.parse().with_context(|| format!("{{{name}}}"))?,
        };
        let (year, month, day) = civil(self.day + offset);
        let named = self.locale.months.get(month as usize - 1);
        Ok(self
            .locale
            .date
            .replace("{d}", &day.to_string())
            .replace("{mm}", &month.to_string())
            .replace("{m}", named.map_or("", String::as_str))
            .replace("{y}", &year.to_string()))
    }

    /// RFC 5322 section 3.3, so many seconds before the message was sent.
    fn rfc_date(&self, earlier: i64) -> String {
        const WEEK: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let at = self.day * 86_400 + self.second as i64 - earlier;
        let (days, seconds) = (at.div_euclid(86_400), at.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let week = WEEK.get(days.rem_euclid(7) as usize).unwrap_or(&"Thu");
        let month = MONTHS.get(month as usize - 1).unwrap_or(&"Jan");
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let zone = &self.locale.zone;
        format!("{week}, {day} {month} {year} {hour:02}:{minute:02}:{second:02} {zone}")
    }

    fn ics_date(&self, days_later: i64) -> String {
        let (year, month, day) = civil(self.day + days_later);
        let hour = self.random("hour").below(9) + 8;
        format!("{year:04}{month:02}{day:02}T{hour:02}0000Z")
    }
}

const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn letters(random: &mut Random, count: usize, of: &[u8]) -> String {
    let letter = |_| of.get(random.below(of.len() as u64) as usize).copied();
    (0..count).filter_map(letter).map(char::from).collect()
}

fn length(range: &str) -> Result<usize> {
    range.parse().with_context(|| format!("no length: {range}"))
}

fn between(range: &str, random: &mut Random) -> Result<u64> {
    let (low, high) = range.split_once('-').context("a range is LOW-HIGH")?;
    let (low, high): (u64, u64) = (low.parse()?, high.parse()?);
    ensure!(low <= high, "an empty range: {range}");
    Ok(low + random.below(high - low + 1))
}

fn pick<'a>(from: &'a [String], random: &mut Random) -> &'a str {
    let at = random.below(from.len() as u64) as usize;
    from.get(at).map_or("", String::as_str)
}

/// FNV-1a: spreads names over seeds.
fn hash(text: &str, seed: u64) -> u64 {
    let mut state = 0xCBF2_9CE4_8422_2325 ^ seed;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    Random::new(state).next()
}

/// The first of January, in days since 1970.
fn days(year: u32) -> i64 {
    let before = i64::from(year) - 1;
    before * 365 + before / 4 - before / 100 + before / 400 - 719_162
}

/// Year, month and day of a day since 1970 (Hinnant's algorithm).
fn civil(day: i64) -> (i64, u32, u32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * from_march + 2) / 5 + 1) as u32;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
