//! Punycode (RFC 3492), the encoding direction: a U-label as the rest of its A-label.
//!
//! Which code points a label may hold (RFC 5892) is not checked here.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 0x80;

/// The label without the `xn--` prefix. RFC 3492 6.3; the caller bounds the label to
/// `DOMAIN_BYTES_MAX`, and each round handles one code point, so the cost is bounded too.
pub(super) fn encode(label: &str) -> String {
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u64;
    if basic > 0 {
        out.push('-');
    }
    let total = label.chars().count() as u64;
    let (mut n, mut delta, mut bias, mut handled) = (INITIAL_N, 0u64, INITIAL_BIAS, basic);
    while handled < total {
        let Some(next) = label.chars().map(u32::from).filter(|&c| c >= n).min() else {
            break;
        };
        delta += u64::from(next - n) * (handled + 1);
        n = next;
        for c in label.chars().map(u32::from) {
            if c < n {
                delta += 1;
            }
            if c == n {
                push_variable_length(&mut out, delta, bias);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta += 1;
        n += 1;
    }
    out
}

fn push_variable_length(out: &mut String, delta: u64, bias: u32) {
    let mut q = delta;
    let mut k = BASE;
    loop {
        let t = u64::from(k.saturating_sub(bias).clamp(T_MIN, T_MAX));
        if q < t {
            break;
        }
        let range = u64::from(BASE) - t;
        out.push(digit(t + (q - t) % range));
        q = (q - t) / range;
        k += BASE;
    }
    out.push(digit(q));
}

/// RFC 3492 5: `a` to `z` are 0 to 25, `0` to `9` are 26 to 35.
fn digit(value: u64) -> char {
    let value = (value % u64::from(BASE)) as u8;
    char::from(if value < 26 {
        b'a' + value
    } else {
        b'0' + (value - 26)
    })
}

/// RFC 3492 6.1.
fn adapt(delta: u64, points: u64, first: bool) -> u32 {
    let mut delta = if first {
        delta / u64::from(DAMP)
    } else {
        delta / 2
    };
    delta += delta / points;
    let mut k = 0;
    while delta > u64::from((BASE - T_MIN) * T_MAX / 2) {
        delta /= u64::from(BASE - T_MIN);
        k += BASE;
    }
    k + ((u64::from(BASE - T_MIN + 1) * delta) / (delta + u64::from(SKEW))) as u32
}
