//! One copy of one message: header by its mailer, parts by its shape, pages by its layout.

use anyhow::Result;

use super::attached;
use super::blocks::{self, Addresses, Block};
use super::collection::{Collection, Links, Message, Shape};
use super::mime::{self, Part};
use super::recipient::Recipient;

/// The bytes of this copy, with CRLF.
pub(super) fn message(
    collection: &Collection,
    message: &Message,
    recipient: &Recipient<'_>,
) -> Result<Vec<u8>> {
    let copy = Copy {
        collection,
        message,
        recipient,
    };
    let content = copy.content()?;
    let mut bytes = copy.header(&content.fields)?.into_bytes();
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&content.body);
    if !bytes.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    Ok(bytes)
}

struct Copy<'a> {
    collection: &'a Collection,
    message: &'a Message,
    recipient: &'a Recipient<'a>,
}

impl Addresses for Copy<'_> {
    fn link(&self, path: &str) -> Result<String> {
        let path = path.replace(' ', "-");
        if path.contains("://") || path.starts_with("mailto:") {
            return Ok(path);
        }
        let fill = |text: &str| self.recipient.fill(text);
        // Each page has a token of its own in links that do not show where they lead.
        let of = path.replace([':', '{', '}'], "");
        Ok(match self.message.links {
            Links::Direct => fill("https://www.{org}")? + &path,
            Links::Token => fill("https://account.{org}")? + &path + &fill("?t={token}")?,
            Links::Utm => {
                let campaign =
                    "?utm_source=newsletter&utm_medium=email&utm_campaign={id}&r={hex:12:utm}";
                fill("https://www.{org}")? + &path + &fill(campaign)?
            }
            Links::Tracked => fill(&format!(
                "https://click.{{org}}/ls/click?upn={{alnum:72:{of}}}"
            ))?,
            // Longer than the shortener's own codes: it leads nowhere.
            Links::Short => fill(&format!("https://bit.ly/{{alnum:12:{of}}}"))?,
        })
    }

    fn picture(&self, number: usize) -> Result<String> {
        let name = format!("{{hex:20:image{number}}}");
        self.recipient.fill(&match self.message.shape {
            Shape::Related => format!("cid:{name}@{{domain}}"),
            _ => format!("https://images.{{org}}/{{id}}/{name}.png"),
        })
    }
}

impl Copy<'_> {
    fn header(&self, content: &str) -> Result<String> {
        let (message, recipient) = (self.message, self.recipient);
        let charset = &message.charset;
        let subject = mime::words(&recipient.fill(&message.subject)?, charset)?;
        let from = mime::mailbox(message.sender_name(), message.sender_address(), charset)?;
        let to = mime::mailbox(&recipient.full(), &recipient.address, charset)?;
        let mut header = String::new();
        for line in self.collection.mailer(message)?.fields.lines() {
            let line = match line {
                "Content:" => {
                    header.push_str("MIME-Version: 1.0\r\n");
                    header.push_str(content);
                    continue;
                }
                "Subject:" => format!("Subject: {subject}"),
                "From:" => format!("From: {from}"),
                "To:" => format!("To: {to}"),
                other => recipient.fill(other)?,
            };
            header.push_str(&line);
            header.push_str("\r\n");
        }
        Ok(header)
    }

    fn content(&self) -> Result<Part> {
        let (message, recipient) = (self.message, self.recipient);
        let body = recipient.fill(&message.body)?;
        let blocks = blocks::parse(&body);
        let shape = message.shape;
        if shape == Shape::Html {
            return self.html(&blocks);
        }
        let text = self.text(&blocks)?;
        if shape == Shape::Text {
            return Ok(text);
        }
        let html = self.html(&blocks)?;
        match shape {
            Shape::Related => {
                let mut parts = vec![Part::multipart(
                    "alternative",
                    &self.boundary("b")?,
                    &[text, html],
                )];
                let count = blocks
                    .iter()
                    .filter(|it| matches!(it, Block::Picture(_)))
                    .count();
                for number in 1..=count {
                    parts.push(self.inline_picture(number)?);
                }
                Ok(Part::multipart("related", &self.boundary("a")?, &parts))
            }
            Shape::Pdf => {
                let alternative =
                    Part::multipart("alternative", &self.boundary("b")?, &[text, html]);
                let document = self.document(&blocks)?;
                Ok(Part::multipart(
                    "mixed",
                    &self.boundary("a")?,
                    &[alternative, document],
                ))
            }
            Shape::Ics => {
                let summary = recipient.fill(&message.subject)?;
                let invitation = attached::invitation(recipient, &summary)?;
                let kind = "text/calendar; method=REQUEST";
                let invitation = Part::text(kind, &invitation, "utf-8", "base64")?;
                let parts = [text, html, invitation];
                Ok(Part::multipart("alternative", &self.boundary("a")?, &parts))
            }
            _ => Ok(Part::multipart(
                "alternative",
                &self.boundary("a")?,
                &[text, html],
            )),
        }
    }

    fn boundary(&self, of: &str) -> Result<String> {
        let boundary = &self.collection.mailer(self.message)?.boundary;
        self.recipient.fill(&boundary.replace("OF", of))
    }

    fn text(&self, blocks: &[Block<'_>]) -> Result<Part> {
        let message = self.message;
        let mut text = blocks::text(blocks, self)?;
        let footer = self.recipient.fill(&message.footer)?;
        if !footer.is_empty() {
            text += &format!("-- \n{}\n", blocks::text(&blocks::parse(&footer), self)?);
        }
        Part::text("text/plain", &text, &message.charset, &message.encoding)
    }

    fn html(&self, blocks: &[Block<'_>]) -> Result<Part> {
        let (collection, message, recipient) = (self.collection, self.message, self.recipient);
        let locale = collection.locale(message)?;
        let body = blocks::html(collection, message, blocks, self)?;
        let mut footer = String::new();
        for line in recipient.fill(&message.footer)?.lines() {
            footer += &blocks::inline(line, self)?;
            footer += "<br>\n";
        }
        let direction = if locale.right_to_left { "rtl" } else { "ltr" };
        let slots = [
            (
                "{{preheader}}",
                blocks::escape(&recipient.fill(&message.preheader)?),
            ),
            (
                "{{title}}",
                blocks::escape(&recipient.fill(&message.subject)?),
            ),
            ("{{brand}}", blocks::escape(message.sender_name())),
            ("{{lang}}", message.language.clone()),
            ("{{dir}}", direction.to_owned()),
            ("{{charset}}", message.charset.clone()),
            ("{{accent}}", self.colour("accent", 60, 150)),
            ("{{tint}}", self.colour("tint", 232, 20)),
            ("{{home}}", blocks::escape(&self.link("/")?)),
            ("{{view}}", locale.view.clone()),
            (
                "{{view_href}}",
                blocks::escape(&self.link("/view-in-browser")?),
            ),
            ("{{unsubscribe}}", locale.unsubscribe.clone()),
            (
                "{{unsubscribe_href}}",
                blocks::escape(&self.link("/preferences")?),
            ),
            (
                "{{pixel}}",
                recipient.fill("https://click.{org}/wf/open?upn={alnum:60:pixel}")?,
            ),
            ("{{images}}", recipient.fill("https://images.{org}/{id}")?),
            ("{{year}}", recipient.fill("{year}")?),
            ("{{footer}}", footer),
            ("{{body}}", body),
        ];
        // The body comes first, since its blocks have slots of the page's too.
        let mut page = collection.template(message, "page")?.to_owned();
        for (slot, value) in slots.iter().rev() {
            page = page.replace(slot, value);
        }
        Part::text("text/html", &page, &message.charset, &message.encoding)
    }

    /// A colour that all messages of one sender share.
    fn colour(&self, of: &str, lowest: u64, range: u64) -> String {
        let name = self.message.organisation();
        let seed = name.bytes().chain(of.bytes());
        let seed = seed.fold(7u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let mut random = crate::random::Random::new(seed);
        let mut part = || lowest + random.below(range);
        format!("#{:02x}{:02x}{:02x}", part(), part(), part())
    }

    fn inline_picture(&self, number: usize) -> Result<Part> {
        let id = self.picture(number)?.replace("cid:", "");
        let kind = format!("image/png; name=\"image{number:03}.png\"");
        let disposition = format!(
            "Content-ID: <{id}>\r\nContent-Disposition: inline; filename=\"image{number:03}.png\""
        );
        let bytes = attached::png(self.recipient, &format!("png{number}"));
        Part::file(&kind, &disposition, &bytes)
    }

    fn document(&self, blocks: &[Block<'_>]) -> Result<Part> {
        let mut lines = vec![self.message.sender_name().to_owned(), String::new()];
        lines.extend(blocks::text(blocks, self)?.lines().map(str::to_owned));
        let name = self.recipient.fill("{order}.pdf")?;
        let kind = format!("application/pdf; name=\"{name}\"");
        let disposition = format!("Content-Disposition: attachment; filename=\"{name}\"");
        Part::file(&kind, &disposition, &attached::pdf(&lines)?)
    }
}
