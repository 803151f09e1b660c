//! Sizes in bytes as people read them, in the words of the reference: "156.9 KB", with a space
//! that does not break.

/// Names of the units above the byte.
const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];

/// A number of bytes in words.
pub fn display(bytes: i64) -> String {
    let size = bytes.unsigned_abs();
    let sign = if bytes < 0 { "-" } else { "" };
    if size < 1024 {
        let unit = if size == 1 { "byte" } else { "bytes" };
        return format!("{sign}{size}\u{a0}{unit}");
    }
    let mut value = size as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{sign}{value:.1}\u{a0}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::display;

    #[test]
    fn sizes_read_as_recorded() {
        for (bytes, text) in [
            (0, "0\u{a0}bytes"),
            (1, "1\u{a0}byte"),
            (1023, "1023\u{a0}bytes"),
            (1024, "1.0\u{a0}KB"),
            (160_690, "156.9\u{a0}KB"),
            (175_374, "171.3\u{a0}KB"),
            (5 << 40, "5.0\u{a0}TB"),
            (5 << 60, "5120.0\u{a0}PB"),
            (-2048, "-2.0\u{a0}KB"),
        ] {
            assert_eq!(display(bytes), text);
        }
    }
}
