//! Companies whose names are borrowed by others, and the domains that are theirs.

/// One company on a line: the name as words in lower case, a colon, and the registrable domains that are its own beside
/// those that hold the name.
const BRANDS: &str = include_str!("brands.txt");

/// The company whose name `display_name` bears, unless `domain` (registrable) is one of its own.
pub(super) fn claimed(display_name: &str, domain: Option<&str>) -> Option<&'static str> {
    let words: Vec<String> = display_name
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(20)
        .map(str::to_lowercase)
        .collect();
    let domain = domain?;
    BRANDS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(':'))
        .find(|(brand, own)| bears(&words, brand) && !is_own(domain, brand, own))
        .map(|(brand, _)| brand)
}

/// Whether the words of `brand` stand in a row in `words`.
fn bears(words: &[String], brand: &str) -> bool {
    let count = brand.split(' ').count();
    words
        .windows(count)
        .any(|window| window.iter().map(String::as_str).eq(brand.split(' ')))
}

/// Whether `domain` belongs to the company: one that is listed, or one that holds the whole name in a word of its own
/// (`paypal-news.example` does, which others may register; what authentication says of it counts there).
fn is_own(domain: &str, brand: &str, own: &str) -> bool {
    let joined: String = brand.split(' ').collect();
    domain.contains(&joined)
        || domain.contains(&brand.replace(' ', "-"))
        || own.split_ascii_whitespace().any(|own| own == domain)
}
