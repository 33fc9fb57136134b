//! Authentication-Results (RFC 8601 section 2.2): read, and written.
//!
//! Reading is for two things: what a sealer of ARC had found, and whose word a field claims to be. It takes any text, and
//! what is not understood is passed over.

use super::facts::Authentication;
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
        let mut lines = Vec::new();
        if let Some(fact) = &self.iprev {
            let name = fact
                .name
                .as_deref()
                .map_or(String::new(), |name| format!(" ({name})"));
            lines.push(format!(
                "iprev={}{name} policy.iprev={}",
                fact.result.word(),
                value(client_ip)
            ));
        }
        if let Some(fact) = &self.spf_helo {
            let problem = comment(fact.problem.as_deref());
            lines.push(format!(
                "spf={}{problem} smtp.helo={}",
                fact.result.word(),
                value(helo)
            ));
        }
        if let Some(fact) = self.spf_mail.as_ref().filter(|_| !mail_from.is_empty()) {
            let problem = comment(fact.problem.as_deref());
            lines.push(format!(
                "spf={}{problem} smtp.mailfrom={}",
                fact.result.word(),
                value(mail_from)
            ));
        }
        for fact in &self.dkim {
            let problem = comment(fact.problem.as_deref());
            let mut line = format!("dkim={}{problem}", fact.result.word());
            if !fact.domain.is_empty() {
                line.push_str(&format!(
                    " header.d={} header.s={} header.a={} header.b={}",
                    fact.domain,
                    fact.selector,
                    fact.algorithm,
                    value(&fact.value_start)
                ));
            }
            lines.push(line);
        }
        if self.dkim.is_empty() {
            lines.push("dkim=none".to_owned());
        }
        if let Some(fact) = &self.arc {
            let problem = comment(fact.problem.as_deref());
            let sealers: Vec<&str> = fact.sealers.iter().map(String::as_str).collect();
            let sealers = comment(
                Some(&sealers.join(", "))
                    .filter(|sealers| !sealers.is_empty())
                    .map(|sealers| sealers.as_str()),
            );
            lines.push(format!("arc={}{problem}{sealers}", fact.result.word()));
        }
        if let Some(fact) = &self.dmarc {
            let asked = match &fact.published {
                Some(record) if record.policy != fact.policy => {
                    let asked = fact.policy.word();
                    format!(" (p={} asked={asked})", record.policy.word())
                }
                Some(record) => format!(" (p={})", record.policy.word()),
                None => String::new(),
            };
            let problem = comment(fact.problem.as_deref());
            lines.push(format!(
                "dmarc={}{asked}{problem} header.from={}",
                fact.result.word(),
                fact.from_domain
            ));
        }
        let mut body = authserv_id.to_owned();
        for line in lines {
            body.push_str(";\r\n\t");
            body.push_str(&line);
        }
        body
    }
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
