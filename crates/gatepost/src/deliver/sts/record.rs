//! The TXT record `_mta-sts.DOMAIN` that says that there is a policy, and which (RFC 8461 section 3.1).

/// Characters of an id.
const ID_CHARACTERS_MAX: usize = 32;
/// Characters of the name of a field.
const NAME_CHARACTERS_MAX: usize = 32;

/// The id of the policy that the TXT records of a name tell. None or several records of this kind, or one that is malformed, are
/// no policy.
pub fn policy_id(records: &[String]) -> Option<&str> {
    let mut ours = records
        .iter()
        .filter_map(|record| fields_behind(record, "v=STSv1"));
    let (fields, None) = (ours.next()?, ours.next()) else {
        return None;
    };
    let mut id = None;
    for field in split(fields)? {
        let (name, value) = field;
        if name == "id" {
            let is_id = value.len() <= ID_CHARACTERS_MAX
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
            // Twice it would be two policies.
            if !is_id || id.replace(value).is_some() {
                return None;
            }
        }
    }
    id
}

/// What follows the version and its delimiter, if the record begins with them.
pub(crate) fn fields_behind<'r>(record: &'r str, version: &str) -> Option<&'r str> {
    record
        .strip_prefix(version)?
        .trim_start_matches(is_wsp)
        .strip_prefix(';')
}

/// `name=value` fields with semicolons between them; the last may have one behind it. `None` if one of them is malformed.
pub(crate) fn split(fields: &str) -> Option<Vec<(&str, &str)>> {
    let fields = fields.trim_matches(is_wsp);
    let fields = fields.strip_suffix(';').unwrap_or(fields);
    fields
        .split(';')
        .map(|field| field.trim_matches(is_wsp).split_once('='))
        .map(|field| field.filter(|(name, value)| is_name(name) && is_value(value)))
        .collect()
}

fn is_name(name: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.len() <= NAME_CHARACTERS_MAX
        && name.bytes().all(within)
}

/// What RFC 8461 gives extensions. `=` and blanks too, which RFC 8460 permits in the URIs of its own record.
fn is_value(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn is_wsp(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

#[cfg(test)]
mod tests;
