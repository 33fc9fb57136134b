//! What was counted in HTML.

use super::element::Hiding;

/// Counts of what the HTML of a message holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlFacts {
    /// Bytes of HTML that were read.
    pub bytes: usize,
    /// Start tags.
    pub tags: u32,
    /// Forms.
    pub forms: u32,
    /// Inputs for a password.
    pub password_inputs: u32,
    /// Inputs for other text.
    pub text_inputs: u32,
    /// Script elements.
    pub scripts: u32,
    /// Bytes inside of script elements.
    pub script_bytes: usize,
    /// Attributes that hold a script, such as `onclick`.
    pub event_attributes: u32,
    /// Frames of either kind.
    pub frames: u32,
    /// Objects, embedded things and applets.
    pub objects: u32,
    /// Pictures.
    pub images: u32,
    /// Pictures of one pixel, by which opening is counted.
    pub tiny_images: u32,
    /// Pictures that are given in the link itself.
    pub data_images: u32,
    /// Bytes of text given in place of pictures.
    pub alternative_bytes: usize,
    /// Elements that turn the direction of writing around.
    pub reversed: u32,
    /// Requests to load another page.
    pub refreshes: u32,
    /// Links that lead nowhere in a message.
    pub relative_links: u32,
    /// Whether there were more links than are kept.
    pub has_more_links: bool,
    /// Bytes of style sheets.
    pub style_bytes: usize,
    /// Bytes of comments.
    pub comment_bytes: usize,
    /// Bytes of text hidden at the very beginning, for the preview in a list of messages.
    pub preheader_bytes: usize,
    /// Bytes of text in elements that are not displayed.
    pub hidden_bytes: usize,
    /// Bytes of text too small to be read.
    pub tiny_bytes: usize,
    /// Bytes of text in the colour of its ground.
    pub vanishing_bytes: usize,
    /// Bytes of text outside of the screen, or in a box without height.
    pub off_screen_bytes: usize,
    /// Whether elements nest deeper than is followed.
    pub is_over_deep: bool,
    /// Units of work that reading took, for tests of its bounds.
    pub(crate) steps: u64,
}

impl HtmlFacts {
    /// Bytes of text that cannot be seen, whatever hides it, the preview line excepted.
    pub fn unseen_bytes(&self) -> usize {
        self.hidden_bytes
            .saturating_add(self.tiny_bytes)
            .saturating_add(self.vanishing_bytes)
            .saturating_add(self.off_screen_bytes)
    }

    pub(super) fn hide(&mut self, hiding: Hiding, bytes: usize) {
        let count = match hiding {
            Hiding::NotDisplayed => &mut self.hidden_bytes,
            Hiding::Tiny => &mut self.tiny_bytes,
            Hiding::Vanishing => &mut self.vanishing_bytes,
            Hiding::OffScreen => &mut self.off_screen_bytes,
        };
        *count = count.saturating_add(bytes);
    }
}
