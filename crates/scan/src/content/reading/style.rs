//! As much of CSS as it takes to know whether text can be seen: the declarations that hide, shrink or tint it, and style
//! rules whose selector is a tag, a class, an id, or a tag with one of both.
//!
//! What stands in an at-rule is passed over: a newsletter shows one of two variants by `@media`, and what it holds back
//! on large screens is not hidden to deceive. The cascade is that of the order, without specificity.

use std::collections::HashMap;

use super::color::{self, Paint};

/// Style rules kept of one message.
pub(super) const STYLE_RULES_MAX: usize = 2_000;

/// Bytes of style sheets that are read of one message.
pub(super) const STYLE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of one style attribute that are read.
pub(super) const DECLARATIONS_BYTES_MAX: usize = 4 * 1024;

/// Classes of one element that are looked up.
pub(super) const CLASSES_MAX: usize = 8;

/// Pixels to the left or above from which something stands outside of any screen.
const OFF_SCREEN_PIXELS: f32 = -400.0;

/// What declarations say of an element.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Declared {
    /// `display: none`, or another value that takes it back.
    pub(super) is_none: Option<bool>,
    /// `visibility: hidden`, or `visible`.
    pub(super) is_invisible: Option<bool>,
    /// An opacity of nearly nothing.
    pub(super) is_transparent: Option<bool>,
    /// The colour of text.
    pub(super) color: Option<Paint>,
    /// What it is painted on.
    pub(super) background: Option<Paint>,
    /// How large text is.
    pub(super) size: Option<Size>,
    /// No height or width.
    pub(super) is_flat: Option<bool>,
    /// What exceeds it is not shown.
    pub(super) clips: Option<bool>,
    /// Taken out of the flow.
    is_positioned: Option<bool>,
    /// Far outside of the screen, if positioned.
    is_far: Option<bool>,
    /// Pushed out by its indentation or margin alone.
    is_pushed: Option<bool>,
}

/// The size of text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Size {
    /// In pixels.
    Pixels(f32),
    /// Relative to that of what surrounds it.
    Factor(f32),
}

impl Declared {
    /// What `text`, the value of a style attribute or the inside of a rule, declares.
    pub(super) fn parse(text: &str) -> Declared {
        let mut declared = Declared::default();
        for declaration in bounded(text, DECLARATIONS_BYTES_MAX).split(';') {
            if let Some((property, value)) = declaration.split_once(':') {
                declared.add(property.trim(), value);
            }
        }
        declared
    }

    /// Lets `later` have the last word.
    pub(super) fn overlay(&mut self, later: &Declared) {
        self.is_none = later.is_none.or(self.is_none);
        self.is_invisible = later.is_invisible.or(self.is_invisible);
        self.is_transparent = later.is_transparent.or(self.is_transparent);
        self.color = later.color.or(self.color);
        self.background = later.background.or(self.background);
        self.size = later.size.or(self.size);
        self.is_flat = later.is_flat.or(self.is_flat);
        self.clips = later.clips.or(self.clips);
        self.is_positioned = later.is_positioned.or(self.is_positioned);
        self.is_far = later.is_far.or(self.is_far);
        self.is_pushed = later.is_pushed.or(self.is_pushed);
    }

    /// Whether it stands outside of the screen.
    pub(super) fn is_off_screen(&self) -> bool {
        self.is_pushed == Some(true)
            || (self.is_positioned == Some(true) && self.is_far == Some(true))
    }

    fn add(&mut self, property: &str, value: &str) {
        // Longer names and values mean nothing here, but for backgrounds, of which the beginning tells enough.
        if property.len() > 24 {
            return;
        }
        let property = property.to_ascii_lowercase();
        let value = bounded(value, 200).trim().to_ascii_lowercase();
        let value = value.trim_end_matches("!important").trim_end();
        match property.as_str() {
            "display" => self.is_none = Some(value == "none"),
            "visibility" => self.is_invisible = Some(matches!(value, "hidden" | "collapse")),
            "opacity" => self.is_transparent = number(value).map(|(opacity, _)| opacity < 0.05),
            "scale" | "zoom" => self.vanishes(number(value).is_some_and(|(it, _)| it < 0.05)),
            "transform" => self.vanishes(least_of(value, "scale").is_some_and(|it| it < 0.05)),
            "filter" => self.vanishes(least_of(value, "opacity").is_some_and(|it| it < 0.05)),
            "clip-path" => {
                let round = least_of(value, "circle").or(least_of(value, "ellipse"));
                let cut = least_of(value, "inset").is_some_and(|percent| percent >= 50.0);
                self.vanishes(cut || round.is_some_and(|size| size < 0.5));
            }
            "color" => self.color = Some(color::paint(value)),
            "background" | "background-color" => self.background = Some(color::background(value)),
            "background-image" if value != "none" => self.background = Some(Paint::Unknown),
            "font-size" => self.size = size(value).or(self.size),
            "font" => self.size = value.split_whitespace().find_map(short_size).or(self.size),
            "height" | "max-height" | "width" | "max-width" => {
                let is_flat = number(value).is_some_and(|(length, _)| length.abs() < 0.5);
                self.is_flat = Some(is_flat || self.is_flat == Some(true));
            }
            "overflow" | "overflow-x" | "overflow-y" => {
                self.clips = Some(matches!(value, "hidden" | "clip"));
            }
            "position" => self.is_positioned = Some(matches!(value, "absolute" | "fixed")),
            "left" | "top" => {
                self.is_far = Some(is_far(value) || self.is_far == Some(true));
            }
            "text-indent" | "margin-left" => self.is_pushed = Some(is_far(value)),
            "clip" => self.is_far = Some(value.replace(' ', "").starts_with("rect(0")),
            _ => {}
        }
    }

    /// Makes it vanish, or leaves that to other declarations.
    fn vanishes(&mut self, is_gone: bool) {
        if is_gone {
            self.is_transparent = Some(true);
        }
    }
}

/// The first number among the arguments of a function of CSS: 0 of `rotate(3deg) scale(0, 1)` for `scale`, also if it is
/// called `scaleX`.
fn least_of(value: &str, function: &str) -> Option<f32> {
    let (_, behind) = value.split_once(function)?;
    let (name, arguments) = behind.split_once('(')?;
    let is_it = name.len() <= 2;
    let first = arguments.split([',', ')', ' ']).find(|it| !it.is_empty())?;
    number(first).map(|(it, _)| it).filter(|_| is_it)
}

fn is_far(value: &str) -> bool {
    pixels(value).is_some_and(|length| length <= OFF_SCREEN_PIXELS)
}

/// The first size in the `font` shorthand, in which weights are bare numbers.
fn short_size(word: &str) -> Option<Size> {
    let word = word.split('/').next().unwrap_or_default();
    match number(word) {
        Some((value, "")) if value != 0.0 => None,
        _ => size(word),
    }
}

fn size(value: &str) -> Option<Size> {
    let keyword = match value {
        "xx-small" | "x-small" | "small" | "medium" => Some(Size::Pixels(13.0)),
        "large" | "x-large" | "xx-large" => Some(Size::Pixels(20.0)),
        "smaller" => Some(Size::Factor(0.8)),
        "larger" => Some(Size::Factor(1.2)),
        _ => None,
    };
    keyword.or_else(|| {
        let (value, unit) = number(value)?;
        match unit {
            "em" => Some(Size::Factor(value)),
            "%" => Some(Size::Factor(value / 100.0)),
            "vw" | "vh" | "vmin" | "vmax" => Some(Size::Pixels(value * 8.0)),
            _ => pixels_of(value, unit).map(Size::Pixels),
        }
    })
}

fn pixels(value: &str) -> Option<f32> {
    let (value, unit) = number(value)?;
    pixels_of(value, unit)
}

fn pixels_of(value: f32, unit: &str) -> Option<f32> {
    let factor = match unit {
        "px" | "" => 1.0,
        "pt" => 4.0 / 3.0,
        "pc" | "em" | "rem" => 16.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "%" => 5.0,
        _ => return None,
    };
    Some(value * factor)
}

/// The number that `value` begins with, and its unit.
fn number(value: &str) -> Option<(f32, &str)> {
    let value = value.trim();
    let end = value
        .find(|char: char| !(char.is_ascii_digit() || matches!(char, '.' | '-' | '+')))
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let unit = unit.split_whitespace().next().unwrap_or_default();
    Some((number.parse::<f32>().ok()?, unit))
}

fn bounded(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The style rules of a message.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: HashMap<String, Declared>,
    bytes_read: usize,
}

impl Sheet {
    /// Takes in the content of a style element.
    pub(super) fn add(&mut self, text: &str) {
        let text = bounded(text, STYLE_BYTES_MAX.saturating_sub(self.bytes_read));
        self.bytes_read += text.len();
        let text = without_comments(text);
        let mut rest = text.as_str();
        while self.rules.len() < STYLE_RULES_MAX {
            rest = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '}');
            if rest.starts_with('@') {
                rest = after_at_rule(rest);
                continue;
            }
            let Some((selectors, tail)) = rest.split_once('{') else {
                return;
            };
            let (inside, tail) = tail.split_once('}').unwrap_or((tail, ""));
            let declared = Declared::parse(inside);
            if declared != Declared::default() {
                selectors
                    .split(',')
                    .for_each(|selector| self.rule(selector, &declared));
            }
            rest = tail;
        }
    }

    fn rule(&mut self, selector: &str, declared: &Declared) {
        let selector = selector.trim();
        let marks = selector
            .bytes()
            .filter(|byte| matches!(byte, b'.' | b'#'))
            .count();
        let is_simple = marks <= 1
            && (1..=64).contains(&selector.len())
            && selector.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'#')
            });
        if is_simple && self.rules.len() < STYLE_RULES_MAX {
            let rule = self.rules.entry(selector.to_ascii_lowercase()).or_default();
            rule.overlay(declared);
        }
    }

    /// What the rules declare for an element; its class list and id in any case.
    pub(super) fn of(&self, tag: &str, class: &str, id: &str) -> Declared {
        let mut declared = Declared::default();
        if self.rules.is_empty() {
            return declared;
        }
        let mut overlay = |key: &str| {
            if let Some(rule) = self.rules.get(key) {
                declared.overlay(rule);
            }
        };
        overlay(tag);
        let named = class
            .split_ascii_whitespace()
            .take(CLASSES_MAX)
            .map(|class| ('.', class))
            .chain((!id.is_empty()).then_some(('#', id)));
        for (mark, name) in named.filter(|(_, name)| name.len() <= 64) {
            let name = name.to_ascii_lowercase();
            let mut key = String::with_capacity(tag.len() + name.len() + 1);
            key.push_str(tag);
            key.push(mark);
            key.push_str(&name);
            overlay(key.get(tag.len()..).unwrap_or_default());
            overlay(&key);
        }
        declared
    }
}

/// `/* ... */` and the marks with which sheets were hidden from the first browsers.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = inside.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept.replace("<!--", "").replace("-->", "")
}

/// What follows an at-rule with its block, if it has one.
fn after_at_rule(rule: &str) -> &str {
    let mut depth = 0_usize;
    for (at, byte) in rule.bytes().enumerate() {
        let ends = match byte {
            b'{' => {
                depth += 1;
                false
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                depth == 0
            }
            b';' => depth == 0,
            _ => false,
        };
        if ends {
            return rule.get(at + 1..).unwrap_or_default();
        }
    }
    ""
}

#[cfg(test)]
mod tests;
