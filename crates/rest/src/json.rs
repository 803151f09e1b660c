//! What Python says of a text that is not JSON. A text is read by `serde_json`; only where that
//! fails, this walk finds the place and the words that clients of the reference know.

use std::ops::Range;

/// Deepest nesting that is looked into, as deep as `serde_json` reads.
const DEEPEST: usize = 128;

/// Why Python would not read the bytes as JSON; `None` where it would, or they are nested too
/// deeply to say.
pub(crate) fn complaint(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Some(not_utf8(bytes, error)),
    };
    if text.starts_with('\u{feff}') {
        let words = "Unexpected UTF-8 BOM (decode using utf-8-sig)";
        return Some(placed(text, words, 0));
    }
    match Scan::of(text).whole() {
        Ok(()) | Err(Fault::TooDeep) => None,
        Err(Fault::At(words, at)) => Some(placed(text, words, at)),
        Err(Fault::Constant(name)) => Some(format!(
            "Out of range float values are not JSON compliant: '{name}'"
        )),
    }
}

/// The same as words and a place, in characters, for those who word it themselves.
pub(crate) fn fault(text: &str) -> Option<(String, usize)> {
    match Scan::of(text).whole() {
        Err(Fault::At(words, at)) => {
            let before = text.get(..at).unwrap_or(text);
            Some((words.to_owned(), before.chars().count()))
        }
        Err(Fault::Constant(name)) => Some((
            format!("Out of range float values are not JSON compliant: '{name}'"),
            0,
        )),
        Ok(()) | Err(Fault::TooDeep) => None,
    }
}

/// The numbers that are direct members of the object, by name and as they are written. Of whole
/// numbers past 64 bits a `serde_json` value keeps only the leading digits.
pub(crate) fn numbers(text: &str) -> Vec<(String, String)> {
    let mut scan = Scan::of(text);
    if scan.whole().is_err() {
        return Vec::new();
    }
    let numbers = scan.numbers.into_iter();
    numbers
        .filter_map(|(name, number)| {
            let name = serde_json::from_str(text.get(name)?).ok()?;
            Some((name, text.get(number)?.to_owned()))
        })
        .collect()
}

fn placed(text: &str, words: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or(before);
    let (column, place) = (last.chars().count() + 1, before.chars().count());
    format!("{words}: line {line} column {column} (char {place})")
}

fn not_utf8(bytes: &[u8], error: std::str::Utf8Error) -> String {
    let start = error.valid_up_to();
    let first = bytes.get(start).copied().unwrap_or_default();
    let length = error.error_len().unwrap_or(bytes.len() - start);
    let what = match error.error_len() {
        None => "unexpected end of data",
        Some(_) if matches!(first, 0xc2..=0xf4) => "invalid continuation byte",
        Some(_) => "invalid start byte",
    };
    if length > 1 {
        let last = start + length - 1;
        format!("'utf-8' codec can't decode bytes in position {start}-{last}: {what}")
    } else {
        format!("'utf-8' codec can't decode byte 0x{first:02x} in position {start}: {what}")
    }
}

enum Fault {
    At(&'static str, usize),
    Constant(&'static str),
    TooDeep,
}

type Scanned = Result<(), Fault>;

/// A walk through a text in the order in which Python's scanner takes it.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// Name and number of the direct members of the object, as places in the text.
    numbers: Vec<(Range<usize>, Range<usize>)>,
}

impl<'a> Scan<'a> {
    fn of(text: &'a str) -> Scan<'a> {
        Scan {
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
            numbers: Vec::new(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > start
    }

    fn whole(&mut self) -> Scanned {
        self.space();
        self.value()?;
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Fault::At("Extra data", self.at)),
        }
    }

    fn value(&mut self) -> Scanned {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for name in ["NaN", "Infinity", "-Infinity"] {
            if rest.starts_with(name.as_bytes()) {
                return Err(Fault::Constant(name));
            }
        }
        for name in ["null", "true", "false"] {
            if rest.starts_with(name.as_bytes()) {
                self.at += name.len();
                return Ok(());
            }
        }
        match rest.first() {
            Some(b'"') => self.string(),
            Some(b'{') => self.nested(Scan::object),
            Some(b'[') => self.nested(Scan::array),
            _ => self.number(),
        }
    }

    fn nested(&mut self, inside: fn(&mut Self) -> Scanned) -> Scanned {
        if self.depth == DEEPEST {
            return Err(Fault::TooDeep);
        }
        self.at += 1;
        self.depth += 1;
        self.space();
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Scanned {
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                let words = "Expecting property name enclosed in double quotes";
                return Err(Fault::At(words, self.at));
            }
            let name = self.at;
            self.string()?;
            let name = name..self.at;
            self.space();
            if !self.take(b':') {
                return Err(Fault::At("Expecting ':' delimiter", self.at));
            }
            self.space();
            let start = self.at;
            self.value()?;
            let is_number = |b: &u8| *b == b'-' || b.is_ascii_digit();
            if self.depth == 1 && self.bytes.get(start).is_some_and(is_number) {
                self.numbers.push((name, start..self.at));
            }
            if self.ends(b'}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self) -> Scanned {
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value()?;
            if self.ends(b']')? {
                return Ok(());
            }
        }
    }

    /// After a member: true at the end, false after a comma.
    fn ends(&mut self, end: u8) -> Result<bool, Fault> {
        self.space();
        if self.take(end) {
            return Ok(true);
        }
        if !self.take(b',') {
            return Err(Fault::At("Expecting ',' delimiter", self.at));
        }
        self.space();
        Ok(false)
    }

    fn string(&mut self) -> Scanned {
        let start = self.at;
        let unterminated = Fault::At("Unterminated string starting at", start);
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(unterminated),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => match self.bytes.get(self.at + 1) {
                    None => return Err(unterminated),
                    Some(b'u') => self.code_point()?,
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                    Some(_) => return Err(Fault::At("Invalid \\escape", self.at)),
                },
                Some(0..=0x1f) => return Err(Fault::At("Invalid control character at", self.at)),
                Some(_) => self.at += 1,
            }
        }
    }

    fn code_point(&mut self) -> Scanned {
        let digits = self.bytes.get(self.at + 2..self.at + 6);
        if digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
            self.at += 6;
            return Ok(());
        }
        Err(Fault::At("Invalid \\uXXXX escape", self.at + 1))
    }

    /// A number; what follows it is for others to complain about.
    fn number(&mut self) -> Scanned {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && !self.digits() {
            return Err(Fault::At("Expecting value", start));
        }
        let whole = self.at;
        if !(self.take(b'.') && self.digits()) {
            self.at = whole;
        }
        let mantissa = self.at;
        let has_exponent = self.take(b'e') || self.take(b'E');
        let _ = has_exponent && (self.take(b'+') || self.take(b'-'));
        if !(has_exponent && self.digits()) {
            self.at = mantissa;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
