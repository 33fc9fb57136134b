//! A header field, folded at blanks into lines of at most 78 characters where its words allow (RFC 5322 2.1.1, 2.2.3).

/// Characters of a line that RFC 5322 2.1.1 recommends at most.
const LINE_BYTES: usize = 78;

/// A field that grows word by word.
pub(super) struct Folded {
    field: String,
    /// Where the current line begins.
    line_start: usize,
}

impl Folded {
    /// A field of this name, its colon included.
    pub(super) fn new(name: &str) -> Folded {
        let mut field = String::with_capacity(320);
        field.push_str(name);
        Folded {
            field,
            line_start: 0,
        }
    }

    /// Adds a word behind a blank, on a new line if it does not fit.
    pub(super) fn word(&mut self, word: &str) {
        let at_line_start = self.field.ends_with('\t');
        // One more for the `;` or `,` that may be appended.
        let length = self.field.len() - self.line_start + 1 + word.len() + 1;
        if at_line_start {
            self.field.push_str(word);
            return;
        }
        if length > LINE_BYTES && !self.field.ends_with(':') {
            self.line();
        } else {
            self.field.push(' ');
        }
        self.field.push_str(word);
    }

    /// Adds words.
    pub(super) fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        for word in words {
            self.word(word);
        }
    }

    /// Adds punctuation to the last word.
    pub(super) fn append(&mut self, punctuation: &str) {
        self.field.push_str(punctuation);
    }

    /// Begins a new line.
    pub(super) fn line(&mut self) {
        self.field.push_str("\r\n\t");
        self.line_start = self.field.len() - 1;
    }

    /// The field with its CRLF.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.field.push_str("\r\n");
        self.field.into_bytes()
    }
}
