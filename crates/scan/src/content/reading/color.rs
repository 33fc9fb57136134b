//! Colours as HTML attributes and CSS write them, as far as it takes to know whether text can be told from its ground.

/// What text or ground is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// A colour: red, green, blue.
    Rgb(u8, u8, u8),
    /// Nothing at all.
    Transparent,
    /// A picture, a gradient, or a word that is not known here.
    Unknown,
}

impl Paint {
    pub(super) const BLACK: Paint = Paint::Rgb(0, 0, 0);
    pub(super) const WHITE: Paint = Paint::Rgb(255, 255, 255);

    /// Whether text of this paint cannot be seen on `ground`: the colours differ by less than a tenth in each channel,
    /// which no screen shows.
    pub(super) fn vanishes_on(self, ground: Paint) -> bool {
        match (self, ground) {
            (Paint::Transparent, _) => true,
            (Paint::Rgb(r, g, b), Paint::Rgb(x, y, z)) => {
                r.abs_diff(x) <= 12 && g.abs_diff(y) <= 12 && b.abs_diff(z) <= 12
            }
            _ => false,
        }
    }
}

/// The ground that the `background` shorthand paints.
pub(super) fn background(value: &str) -> Paint {
    if value.contains("url(") || value.contains("gradient") {
        return Paint::Unknown;
    }
    // A function's arguments may be set apart by blanks.
    if value.contains('(') {
        return paint(value);
    }
    value
        .split_whitespace()
        .map(paint)
        .find(|paint| *paint != Paint::Unknown)
        .unwrap_or(Paint::Unknown)
}

/// The colour `value`, in lower case.
pub(super) fn paint(value: &str) -> Paint {
    let value = value.trim();
    if let Some(digits) = value.strip_prefix('#') {
        return hexadecimal(digits).unwrap_or(Paint::Unknown);
    }
    if let Some(arguments) = value
        .strip_prefix("rgba(")
        .or_else(|| value.strip_prefix("rgb("))
    {
        return channels(arguments).unwrap_or(Paint::Unknown);
    }
    if value == "transparent" {
        return Paint::Transparent;
    }
    NAMED
        .iter()
        .find(|(name, _)| *name == value)
        .map_or(Paint::Unknown, |(_, (r, g, b))| Paint::Rgb(*r, *g, *b))
}

/// The colour of an HTML attribute, in which the number sign may be missing.
pub(super) fn attribute(value: &str) -> Paint {
    let value = value.trim().to_ascii_lowercase();
    match paint(&value) {
        Paint::Unknown => hexadecimal(&value).unwrap_or(Paint::Unknown),
        paint => paint,
    }
}

fn hexadecimal(digits: &str) -> Option<Paint> {
    let digits: Vec<u8> = digits
        .chars()
        .take(9)
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<Vec<u8>>>()?;
    Some(match digits.as_slice() {
        [r, g, b] => Paint::Rgb(r * 17, g * 17, b * 17),
        [.., 0] if digits.len() == 4 => Paint::Transparent,
        [r, g, b, _] => Paint::Rgb(r * 17, g * 17, b * 17),
        [.., 0, 0] if digits.len() == 8 => Paint::Transparent,
        [r, r2, g, g2, b, b2] | [r, r2, g, g2, b, b2, _, _] => {
            Paint::Rgb(r * 16 + r2, g * 16 + g2, b * 16 + b2)
        }
        _ => return None,
    })
}

fn channels(arguments: &str) -> Option<Paint> {
    let mut numbers = arguments
        .trim_end_matches(')')
        .split([',', ' ', '/'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.strip_suffix('%') {
            Some(percent) => percent.parse::<f32>().map(|number| number * 2.55),
            None => part.parse::<f32>(),
        });
    let mut channel = || {
        let number = numbers.next()?.ok()?.clamp(0.0, 255.0);
        // The clamp leaves what a byte can hold.
        Some(number as u8)
    };
    let (r, g, b) = (channel()?, channel()?, channel()?);
    match numbers.next() {
        Some(Ok(alpha)) if alpha < 0.05 => Some(Paint::Transparent),
        _ => Some(Paint::Rgb(r, g, b)),
    }
}

/// The sixteen names of HTML and the names of what is nearly white, in which text is hidden.
const NAMED: &[(&str, (u8, u8, u8))] = &[
    ("aliceblue", (240, 248, 255)),
    ("aqua", (0, 255, 255)),
    ("azure", (240, 255, 255)),
    ("black", (0, 0, 0)),
    ("blue", (0, 0, 255)),
    ("floralwhite", (255, 250, 240)),
    ("fuchsia", (255, 0, 255)),
    ("ghostwhite", (248, 248, 255)),
    ("gray", (128, 128, 128)),
    ("green", (0, 128, 0)),
    ("grey", (128, 128, 128)),
    ("ivory", (255, 255, 240)),
    ("lime", (0, 255, 0)),
    ("maroon", (128, 0, 0)),
    ("mintcream", (245, 255, 250)),
    ("navy", (0, 0, 128)),
    ("olive", (128, 128, 0)),
    ("orange", (255, 165, 0)),
    ("purple", (128, 0, 128)),
    ("red", (255, 0, 0)),
    ("silver", (192, 192, 192)),
    ("snow", (255, 250, 250)),
    ("teal", (0, 128, 128)),
    ("white", (255, 255, 255)),
    ("whitesmoke", (245, 245, 245)),
    ("yellow", (255, 255, 0)),
];

#[cfg(test)]
mod tests;
