//! The known word nearest to a mistyped one.

/// Longer words are not compared: no key is nearly as long.
const WORD_CHARS_MAX: usize = 40;

/// The candidate nearest to `word`, if one is near enough to be meant: a third of the letters may differ.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word: Vec<char> = word
        .to_lowercase()
        .chars()
        .take(WORD_CHARS_MAX + 1)
        .collect();
    if word.len() > WORD_CHARS_MAX {
        return None;
    }
    let near_enough = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|&(distance, _)| distance <= near_enough)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap of neighbours) that turn one into the other: the optimal string alignment.
fn distance(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.to_lowercase().chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=candidate.len()).collect();
    for (row, &a) in word.iter().enumerate() {
        let mut current = Vec::with_capacity(candidate.len() + 1);
        let mut left = row + 1;
        current.push(left);
        for (column, &b) in candidate.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&last, column) + usize::from(a != b))
                .min(at(&last, column + 1) + 1)
                .min(left + 1);
            let swapped = row > 0
                && column > 0
                && word.get(row - 1) == Some(&b)
                && candidate.get(column - 1) == Some(&a);
            if swapped {
                cost = cost.min(at(&before_last, column - 1) + 1);
            }
            left = cost;
            current.push(cost);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
