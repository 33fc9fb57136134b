//! The figures that a bench is about: each with its value, its target, and whether it is met.

use serde_json::{Value, json};

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Nothing was promised; the figure is shown all the same.
    None,
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    /// For programs: words joined by `_`, the unit last.
    pub(super) name: String,
    /// For people.
    pub(super) title: String,
    pub(super) unit: &'static str,
    /// None if it could not be measured, which misses any target.
    pub(super) value: Option<f64>,
    pub(super) target: Target,
}

impl Figure {
    /// Whether the target is met; none if there is no target.
    pub(super) fn is_met(&self) -> Option<bool> {
        match (self.target, self.value) {
            (Target::None, _) => None,
            (_, None) => Some(false),
            (Target::AtLeast(target), Some(value)) => Some(value >= target),
            (Target::AtMost(target), Some(value)) => Some(value <= target),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.is_met() {
            Some(true) => "met",
            Some(false) => "missed",
            None => "-",
        }
    }

    fn target_text(&self) -> String {
        match self.target {
            Target::AtLeast(target) => format!("at least {}", number(target)),
            Target::AtMost(target) => format!("at most {}", number(target)),
            Target::None => "-".to_owned(),
        }
    }

    fn value_text(&self) -> String {
        self.value.map_or_else(|| "not measured".to_owned(), number)
    }

    fn json(&self) -> Value {
        let (target, bound) = match self.target {
            Target::AtLeast(target) => (Some(target), Some("at_least")),
            Target::AtMost(target) => (Some(target), Some("at_most")),
            Target::None => (None, None),
        };
        json!({
            "name": self.name,
            "unit": self.unit,
            "value": self.value,
            "target": target,
            "bound": bound,
            "met": self.is_met(),
        })
    }
}

/// The object that `--json` prints as the last line.
pub(super) fn json(bench: &str, is_quick: bool, noise: &Value, figures: &[Figure]) -> Value {
    json!({
        "bench": bench,
        "quick": is_quick,
        "noise": noise,
        "figures": figures.iter().map(Figure::json).collect::<Vec<_>>(),
    })
}

/// The figures as a Markdown table.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut table = String::from("| figure | value | target | |\n|---|---|---|---|\n");
    for figure in figures {
        table.push_str(&format!(
            "| {}, {} | {} | {} | {} |\n",
            figure.title,
            figure.unit,
            figure.value_text(),
            figure.target_text(),
            figure.verdict()
        ));
    }
    table
}

/// A number with three digits that matter, thousands set apart.
pub(super) fn number(value: f64) -> String {
    if value >= 1000.0 {
        return thousands(value.round() as u64);
    }
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        0.1.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

fn thousands(value: u64) -> String {
    match value {
        0..1000 => value.to_string(),
        _ => format!("{},{:03}", thousands(value / 1000), value % 1000),
    }
}

/// The middle one of some values, or the mean of the two in the middle; zero of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.as_slice() {
        [] => 0.0,
        some if some.len() % 2 == 1 => some[half],
        some => f64::midpoint(some[half - 1], some[half]),
    }
}

#[cfg(test)]
mod tests;
