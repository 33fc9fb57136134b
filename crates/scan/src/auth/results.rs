//! Authentication-Results (RFC 8601 section 2.2): read, and written.
//!
//! Reading is for two things: what a sealer of ARC had found, and whose word a field claims to be. It takes any text, and
//! what is not understood is passed over.

use super::facts::{ArcFact, Authentication, DkimFact, DmarcFact, SpfFact};
use crate::printable::printable;

/// Results of one field that are read.
const METHODS_MAX: usize = 64;

/// Properties of one result that are read.
const PROPERTIES_MAX: usize = 32;

/// A field as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    /// Whose word it is, in lower case.
    pub authserv_id: String,
    /// What was found.
    pub methods: Vec<Method>,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The method, such as `dkim`, in lower case.
    pub name: String,
    /// Its result, in lower case.
    pub result: String,
    /// What it was found on, such as `header.d`, names in lower case.
    pub properties: Vec<(String, String)>,
}

impl Results {
    /// Reads a field's body. `None` if it does not say whose it is.
    pub fn parse(body: &str) -> Option<Results> {
        let mut parts = segments(body).into_iter();
        let mut first = parts.next()?.into_iter();
        let authserv_id = first.next()?.to_ascii_lowercase();
        if authserv_id == "=" {
            return None;
        }
        let methods = parts.take(METHODS_MAX).filter_map(|tokens| method(&tokens));
        Some(Results {
            authserv_id,
            methods: methods.collect(),
        })
    }
}

impl Method {
    /// The value of a property.
    pub fn property(&self, name: &str) -> Option<&str> {
        let found = self.properties.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Authentication {
    /// The results as the body of a field, without the field's name: one result on each line, folded, without the final
    /// CRLF. `mail_from` is the address of the reverse-path, `helo` the name given with EHLO.
    pub fn results(
        &self,
        authserv_id: &str,
        mail_from: &str,
        helo: &str,
        client_ip: &str,
    ) -> String {
        let mut lines = self.client_lines(mail_from, helo, client_ip);
        lines.extend(self.dkim.iter().map(dkim));
        if self.dkim.is_empty() {
            lines.push("dkim=none".to_owned());
        }
        lines.extend(self.arc.as_ref().map(arc));
        lines.extend(self.dmarc.as_ref().map(dmarc));
        let mut body = authserv_id.to_owned();
        for line in lines {
            body.push_str(";\r\n\t");
            body.push_str(&line);
        }
        body
    }

    /// What the client shows: its address and the names that it gave.
    fn client_lines(&self, mail_from: &str, helo: &str, client_ip: &str) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(fact) = &self.iprev {
            let name = comment(fact.name.as_deref());
            let ip = value(client_ip);
            lines.push(format!(
                "iprev={}{name} policy.iprev={ip}",
                fact.result.word()
            ));
        }
        let mut spf = |fact: &SpfFact, identity: &str, given: &str| {
            let problem = comment(fact.problem.as_deref());
            let given = value(given);
            lines.push(format!(
                "spf={}{problem} smtp.{identity}={given}",
                fact.result.word()
            ));
        };
        if let Some(fact) = &self.spf_helo {
            spf(fact, "helo", helo);
        }
        // That of the null reverse-path is that of the name.
        if let Some(fact) = self.spf_mail.as_ref().filter(|_| !mail_from.is_empty()) {
            spf(fact, "mailfrom", mail_from);
        }
        lines
    }
}

fn dkim(fact: &DkimFact) -> String {
    let mut line = format!(
        "dkim={}{}",
        fact.result.word(),
        comment(fact.problem.as_deref())
    );
    if !fact.domain.is_empty() {
        line.push_str(&format!(
            " header.d={} header.s={} header.a={} header.b={}",
            fact.domain,
            fact.selector,
            fact.algorithm,
            value(&fact.value_start)
        ));
    }
    line
}

fn arc(fact: &ArcFact) -> String {
    let problem = comment(fact.problem.as_deref());
    let sealers = match fact.sealers.as_slice() {
        [] => String::new(),
        sealers => comment(Some(&sealers.join(", "))),
    };
    format!("arc={}{problem}{sealers}", fact.result.word())
}

fn dmarc(fact: &DmarcFact) -> String {
    let asked = match &fact.published {
        Some(record) if record.policy != fact.policy => {
            let asked = fact.policy.word();
            format!(" (p={} asked={asked})", record.policy.word())
        }
        Some(record) => format!(" (p={})", record.policy.word()),
        None => String::new(),
    };
    let problem = comment(fact.problem.as_deref());
    let from = &fact.from_domain;
    format!(
        "dmarc={}{asked}{problem} header.from={from}",
        fact.result.word()
    )
}

/// A value of a property: a token as it is, anything else as a quoted string (RFC 2045 section 5.1), printable US-ASCII.
pub(super) fn value(text: &str) -> String {
    let text = printable(text, 256);
    let is_token = |c: char| c.is_ascii_graphic() && !"()<>,;:\\\"/[]?=".contains(c);
    if !text.is_empty() && text.chars().all(|c| is_token(c) || c == '@') {
        return text;
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c == ' ' || c.is_ascii_graphic() => quoted.push(c),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

/// A remark in brackets.
fn comment(text: Option<&str>) -> String {
    let Some(text) = text else {
        return String::new();
    };
    let fit = |c: char| {
        if "()\\".contains(c) || !(c == ' ' || c.is_ascii_graphic()) {
            '?'
        } else {
            c
        }
    };
    let text: String = printable(text, 120).chars().map(fit).collect();
    format!(" ({text})")
}

/// The tokens between semicolons: words, quoted strings without their quotes, and equals signs; comments left out.
fn segments(body: &str) -> Vec<Vec<String>> {
    let mut segments = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut depth = 0_usize;
    let mut characters = body.chars();
    while let Some(c) = characters.next() {
        if depth > 0 {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\\' => drop(characters.next()),
                _ => {}
            }
            continue;
        }
        match c {
            '"' => quoted(&mut characters, word.get_or_insert_default()),
            '(' | ' ' | '\t' | '\r' | '\n' | ';' | '=' => {
                if let (Some(word), Some(segment)) = (word.take(), segments.last_mut()) {
                    segment.push(word);
                }
                match c {
                    '(' => depth = 1,
                    ';' if segments.len() > METHODS_MAX => return segments,
                    ';' => segments.push(Vec::new()),
                    '=' => {
                        if let Some(segment) = segments.last_mut() {
                            segment.push("=".to_owned());
                        }
                    }
                    _ => {}
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    if let (Some(word), Some(segment)) = (word, segments.last_mut()) {
        segment.push(word);
    }
    segments
}

/// The rest of a quoted string.
fn quoted(characters: &mut std::str::Chars<'_>, word: &mut String) {
    while let Some(c) = characters.next() {
        match c {
            '"' => return,
            '\\' => word.extend(characters.next()),
            c => word.push(c),
        }
    }
}

/// `method = result *( property = value )`.
fn method(tokens: &[String]) -> Option<Method> {
    let (name, rest) = tokens.split_first()?;
    let [equals, result, rest @ ..] = rest else {
        return None;
    };
    if equals != "=" {
        return None;
    }
    // A version may follow the name (section 2.2).
    let name = name.split('/').next().unwrap_or(name);
    let properties = rest.windows(3).filter_map(|three| match three {
        [property, equals, value] if equals == "=" => {
            Some((property.to_ascii_lowercase(), value.clone()))
        }
        _ => None,
    });
    Some(Method {
        name: name.to_ascii_lowercase(),
        result: result.to_ascii_lowercase(),
        properties: properties.take(PROPERTIES_MAX).collect(),
    })
}

#[cfg(test)]
mod tests;
