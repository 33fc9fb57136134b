//! The stack of open elements, and how text in each of them is shown.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::super::color::Paint;
use super::super::style::{Declared, Size};
use super::HtmlFacts;

/// Elements in one another that are followed. The deepest newsletters reach about a hundred.
const DEPTH_MAX: usize = 256;

/// Open elements that are looked at for a paragraph that a block ends.
const PARAGRAPH_SEARCH_MAX: usize = 16;

/// Pixels of text that nobody can read.
const TINY_PIXELS: f32 = 2.0;

/// Why text is not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hiding {
    NotDisplayed,
    Tiny,
    Vanishing,
    OffScreen,
}

/// How text is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    hidden: Option<Hiding>,
    is_invisible: bool,
    pub(super) color: Paint,
    ground: Paint,
    pixels: f32,
}

impl Shown {
    const AT_FIRST: Shown = Shown {
        hidden: None,
        is_invisible: false,
        color: Paint::BLACK,
        ground: Paint::WHITE,
        pixels: 16.0,
    };

    /// Hides it with all that it holds.
    pub(super) fn hide(&mut self, hiding: Hiding) {
        self.hidden.get_or_insert(hiding);
    }

    /// What declarations for the element itself change.
    pub(super) fn apply(&mut self, declared: &Declared) {
        if let Some(color) = declared.color {
            self.color = color;
        }
        match declared.background {
            Some(Paint::Transparent) | None => {}
            Some(ground) => self.ground = ground,
        }
        match declared.size {
            Some(Size::Pixels(pixels)) => self.pixels = pixels,
            Some(Size::Factor(factor)) => self.pixels *= factor,
            None => {}
        }
        if let Some(is_invisible) = declared.is_invisible {
            self.is_invisible = is_invisible;
        }
        if declared.is_none == Some(true) || declared.is_transparent == Some(true) {
            self.hide(Hiding::NotDisplayed);
        }
        if declared.is_off_screen()
            || (declared.is_flat == Some(true) && declared.clips == Some(true))
        {
            self.hide(Hiding::OffScreen);
        }
    }

    /// Why text is not seen here, if it is not.
    pub(super) fn hiding(&self) -> Option<Hiding> {
        if self.hidden.is_some() {
            self.hidden
        } else if self.is_invisible {
            Some(Hiding::NotDisplayed)
        } else if self.pixels <= TINY_PIXELS {
            Some(Hiding::Tiny)
        } else {
            self.color
                .vanishes_on(self.ground)
                .then_some(Hiding::Vanishing)
        }
    }
}

/// An open element, known by a hash of its name.
struct Open {
    name: u64,
    shown: Shown,
}

/// The open elements, innermost last.
pub(super) struct Elements {
    open: Vec<Open>,
    /// How many of a name are open, so that an end tag without a start costs nothing.
    counts: HashMap<u64, u32>,
    /// Elements that are open beyond `DEPTH_MAX`.
    beyond: usize,
}

impl Elements {
    pub(super) fn new() -> Elements {
        Elements {
            open: Vec::new(),
            counts: HashMap::new(),
            beyond: 0,
        }
    }

    /// How text is shown in the innermost element.
    pub(super) fn shown(&self) -> Shown {
        self.open.last().map_or(Shown::AT_FIRST, |open| open.shown)
    }

    pub(super) fn is_within_svg(&self) -> bool {
        self.counts
            .get(&hash("svg"))
            .is_some_and(|count| *count > 0)
    }

    pub(super) fn open(&mut self, tag: &str, shown: Shown, facts: &mut HtmlFacts) {
        if self.open.len() >= DEPTH_MAX {
            facts.is_over_deep = true;
            self.beyond += 1;
            return;
        }
        let name = hash(tag);
        *self.counts.entry(name).or_insert(0) += 1;
        self.open.push(Open { name, shown });
    }

    /// Closes the innermost element called `tag` and all that is open inside of it.
    pub(super) fn close(&mut self, tag: &str, steps: &mut u64) {
        if let Some(beyond) = self.beyond.checked_sub(1) {
            self.beyond = beyond;
            return;
        }
        let name = hash(tag);
        if self.counts.get(&name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(open) = self.pop() {
            *steps += 1;
            if open.name == name {
                return;
            }
        }
    }

    /// A block ends an open paragraph (WHATWG HTML section 13.2.6.4.7), unless it stands in a table cell inside of it.
    pub(super) fn close_paragraph(&mut self, steps: &mut u64) {
        let paragraph = hash("p");
        if self.beyond > 0 || self.counts.get(&paragraph).is_none_or(|count| *count == 0) {
            return;
        }
        let scopes = ["td", "th", "table", "button", "object"].map(hash);
        for (above, open) in self
            .open
            .iter()
            .rev()
            .take(PARAGRAPH_SEARCH_MAX)
            .enumerate()
        {
            *steps += 1;
            if open.name == paragraph {
                (0..=above).for_each(|_| {
                    self.pop();
                });
                return;
            }
            if scopes.contains(&open.name) {
                return;
            }
        }
    }

    fn pop(&mut self) -> Option<Open> {
        let open = self.open.pop()?;
        if let Some(count) = self.counts.get_mut(&open.name) {
            *count = count.saturating_sub(1);
        }
        Some(open)
    }
}

fn hash(tag: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(tag.as_bytes())
}
