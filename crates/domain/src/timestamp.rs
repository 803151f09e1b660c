//! When a capture was taken, read from its file's name or EXIF text (`domain-rules.md` §2).
//! The idea: a scanner for the four patterns of camera names, leftmost first; only when none of
//! them stands in the name, a small parser of dates as people write them. Times are naive local
//! time in whole seconds; zones are ignored.
//!
//! Two deliberate differences from the platform: parts of a date that are not given are never
//! taken from today (such a name has no time), and `2022-08-10 23-15` means a quarter past
//! eleven, not eleven o'clock in a zone fifteen hours west.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// The time in the name of a file, or `None`. `path` may have folders before the name; only the
/// stem counts. First the leftmost of these, tried in this order at each place:
///
/// 1. 14 digits, `YYYYMMDDHHMMSS`, perhaps part of a longer run of digits;
/// 2. 8 digits, something else, 6 digits;
/// 3. `YYYY?MM?DD`, something else, `HH?MM?SS`, where `?` is one character that is no digit;
/// 4. exactly 12 digits, `YYMMDDHHMMSS` (00–68 are 2000s, 69–99 are 1900s).
///
/// Where that finds nothing, or no real date, the whole stem is read as a date and perhaps a
/// time: `2022-08-10`, `2022.8.1`, `20220810`, `10 Aug 2022`, `10th of August 2022`,
/// `Aug 10, 2022`, `2022 Aug 10`, `08-10-2022` (month first unless that cannot be), each alone
/// or followed by `23:15`, `23:15:07`, `23-15` or `2315`, with or without `T`; and
/// `202208102315`. Without a time it is 00:00. Anything else in the stem means `None`.
pub fn from_file_name(path: &str) -> Option<NaiveDateTime> {
    let stem = stem(path);
    let chars: Vec<char> = stem.chars().collect();
    from_pattern(&chars).or_else(|| from_words(stem))
}

/// The time in an EXIF field, `YYYY:MM:DD HH:MM:SS`; `None` for all else, also for the zeros
/// that cameras without a clock write.
pub fn parse_exif(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let shape_fits = text.len() == 19
        && text.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 | 13 | 16 => b == b':',
            10 => b == b' ',
            _ => b.is_ascii_digit(),
        });
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    shape_fits.then(|| from_digits(&digits)).flatten()
}

/// The name without folders and without its last extension.
fn stem(path: &str) -> &str {
    let name = path.trim_end_matches('/');
    let name = name.rsplit('/').next().unwrap_or(name);
    match name.rfind('.') {
        Some(at) if at > 0 && at + 1 < name.len() => &name[..at],
        _ => name,
    }
}

/// The first match of the four patterns, as a time. A match that is no real date is final: no
/// second one is looked for.
fn from_pattern(chars: &[char]) -> Option<NaiveDateTime> {
    let patterns = [fourteen, eight_and_six, separated, twelve];
    let end_of = |start| patterns.iter().find_map(|p| p(chars, start));
    let (start, end) = (0..chars.len()).find_map(|s| Some((s, end_of(s)?)))?;
    let digits: String = chars[start..end]
        .iter()
        .filter(|c| c.is_ascii_digit())
        .collect();
    from_digits(&digits)
}

/// The place after `n` digits starting at `at`, if they are all digits.
fn digits(chars: &[char], at: usize, n: usize) -> Option<usize> {
    let run = chars.get(at..at.checked_add(n)?)?;
    run.iter().all(char::is_ascii_digit).then_some(at + n)
}

/// The place after one character that is no digit.
fn gap(chars: &[char], at: usize) -> Option<usize> {
    chars
        .get(at)
        .filter(|c| !c.is_ascii_digit())
        .map(|_| at + 1)
}

/// The place after all the characters, at least one, that are no digits.
fn gaps(chars: &[char], at: usize) -> Option<usize> {
    let n = chars
        .get(at..)?
        .iter()
        .take_while(|c| !c.is_ascii_digit())
        .count();
    (n > 0).then_some(at + n)
}

fn fourteen(chars: &[char], at: usize) -> Option<usize> {
    digits(chars, at, 14)
}

fn eight_and_six(chars: &[char], at: usize) -> Option<usize> {
    digits(chars, gaps(chars, digits(chars, at, 8)?)?, 6)
}

fn separated(chars: &[char], at: usize) -> Option<usize> {
    let year = digits(chars, at, 4)?;
    let month = digits(chars, gap(chars, year)?, 2)?;
    let day = digits(chars, gap(chars, month)?, 2)?;
    let hour = digits(chars, gaps(chars, day)?, 2)?;
    let minute = digits(chars, gap(chars, hour)?, 2)?;
    digits(chars, gap(chars, minute)?, 2)
}

fn twelve(chars: &[char], at: usize) -> Option<usize> {
    let end = digits(chars, at, 12)?;
    let digit_at = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    (!digit_at(end) && !at.checked_sub(1).is_some_and(digit_at)).then_some(end)
}

/// 14 digits with a year of four, or 12 with a year of two.
fn from_digits(digits: &str) -> Option<NaiveDateTime> {
    let (year, rest) = match digits.len() {
        12 => (full_year(number(digits.get(..2)?)?), digits.get(2..)?),
        14 => (number(digits.get(..4)?)?, digits.get(4..)?),
        _ => return None,
    };
    let pair = |i: usize| number(rest.get(2 * i..2 * i + 2)?);
    at(
        date(year, pair(0)?, pair(1)?)?,
        pair(2)?,
        pair(3)?,
        pair(4)?,
    )
}

const fn full_year(two_digits: u32) -> u32 {
    if two_digits < 69 {
        2000 + two_digits
    } else {
        1900 + two_digits
    }
}

fn number(digits: &str) -> Option<u32> {
    digits.parse().ok()
}

fn date(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    let year = i32::try_from(year)
        .ok()
        .filter(|y| (1..=9999).contains(y))?;
    NaiveDate::from_ymd_opt(year, month, day)
}

fn at(date: NaiveDate, hour: u32, minute: u32, second: u32) -> Option<NaiveDateTime> {
    date.and_hms_opt(hour, minute, second)
}

/// A part of a written date.
#[derive(Debug, PartialEq)]
enum Word<'a> {
    /// A run of digits, and whether a colon stood before it.
    Number { digits: &'a str, colon: bool },
    /// The number of a month that was written as a word.
    Month(u32),
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const FILLERS: [&str; 9] = ["st", "nd", "rd", "th", "of", "at", "on", "t", "z"];

/// A date as people write it; the forms are listed at [`from_file_name`].
fn from_words(stem: &str) -> Option<NaiveDateTime> {
    use Word::{Month, Number};
    let words = split(stem)?;
    let n = |word: &Word<'_>, longest: usize| match word {
        Number {
            digits,
            colon: false,
        } if digits.len() <= longest => number(digits),
        _ => None,
    };
    if let [Number { digits, .. }] = words.as_slice()
        && digits.len() == 12
    {
        return from_digits(&format!("{digits}00"));
    }
    let (date, time) = match words.as_slice() {
        [
            Number {
                digits,
                colon: false,
            },
            rest @ ..,
        ] if digits.len() == 8 => {
            let part = |range| digits.get(range).and_then(number);
            (date(part(0..4)?, part(4..6)?, part(6..8)?)?, rest)
        }
        [y @ Number { digits, .. }, Month(m), d, rest @ ..] if digits.len() == 4 => {
            (date(n(y, 4)?, *m, n(d, 2)?)?, rest)
        }
        [y @ Number { digits, .. }, m, d, rest @ ..] if digits.len() == 4 => {
            (date(n(y, 4)?, n(m, 2)?, n(d, 2)?)?, rest)
        }
        [d, Month(m), y @ Number { digits, .. }, rest @ ..]
        | [Month(m), d, y @ Number { digits, .. }, rest @ ..]
            if digits.len() == 4 =>
        {
            (date(n(y, 4)?, *m, n(d, 2)?)?, rest)
        }
        [a, b, y @ Number { digits, .. }, rest @ ..] if digits.len() == 4 => {
            let (a, b) = (n(a, 2)?, n(b, 2)?);
            let (month, day) = if a > 12 { (b, a) } else { (a, b) };
            (date(n(y, 4)?, month, day)?, rest)
        }
        _ => return None,
    };
    Some(date.and_time(clock(time)?))
}

/// What follows the date: nothing, hours and minutes, perhaps seconds.
fn clock(words: &[Word<'_>]) -> Option<NaiveTime> {
    let mut numbers = Vec::with_capacity(3);
    for word in words {
        match word {
            Word::Number { digits, .. } => numbers.push(*digits),
            Word::Month(_) => return None,
        }
    }
    let short = |text: &str| (text.len() <= 2).then(|| number(text)).flatten();
    let (hour, minute, second) = match numbers.as_slice() {
        [] => (0, 0, 0),
        [all] if all.len() == 4 => (number(all.get(..2)?)?, number(all.get(2..)?)?, 0),
        [hour, minute] => (short(hour)?, short(minute)?, 0),
        [hour, minute, second] => (short(hour)?, short(minute)?, short(second)?),
        _ => return None,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// Numbers and months in order, without separators and fillers; `None` if anything else is there.
fn split(stem: &str) -> Option<Vec<Word<'_>>> {
    let mut words = Vec::new();
    let mut colon = false;
    let mut rest = stem;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| kind(c) == kind(first);
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        rest = tail;
        match kind(first) {
            Kind::Digit => words.push(Word::Number { digits: run, colon }),
            Kind::Letter => words.extend(named(&run.to_ascii_lowercase())?),
            Kind::Separator => {}
            Kind::Other => return None,
        }
        colon = run.contains(':');
    }
    Some(words)
}

#[derive(PartialEq, Clone, Copy)]
enum Kind {
    Digit,
    Letter,
    Separator,
    Other,
}

fn kind(c: char) -> Kind {
    match c {
        '0'..='9' => Kind::Digit,
        'a'..='z' | 'A'..='Z' => Kind::Letter,
        ' ' | '-' | '.' | ',' | '/' | ':' => Kind::Separator,
        _ => Kind::Other,
    }
}

/// A month, or nothing for a word that may stand beside a date; `None` for other words.
fn named(word: &str) -> Option<Option<Word<'static>>> {
    let is = |name: &&str| *name == word || (word.len() == 3 && name.starts_with(word));
    if FILLERS.contains(&word) || WEEKDAYS.iter().any(&is) {
        return Some(None);
    }
    let number = (1u32..).zip(MONTHS).find(|(_, name)| is(name))?.0;
    Some(Some(Word::Month(number)))
}

#[cfg(test)]
mod tests;
