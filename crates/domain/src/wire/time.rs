//! Times on the wire: read with or without an offset, written naive with microseconds.
//! The idea: inside, all times are naive (`processing-service.md` §1); a time with an offset is
//! turned into UTC, whose offset is then dropped.

use chrono::{Duration, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
use serde_json::Value;

/// How times are written.
pub const FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.6f";

/// Writes a time in [`FORMAT`].
pub fn format(time: &NaiveDateTime) -> String {
    time.format(FORMAT).to_string()
}

/// Reads `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.fraction]]` and perhaps `Z` or an offset
/// (`+HH`, `+HHMM`, `+HH:MM`). Digits beyond microseconds are cut off. `None` for all else.
pub fn parse(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let local = parse_date(date)?.and_time(parse_clock(clock.trim_end())?);
    local.checked_sub_signed(Duration::minutes(parse_offset(offset)?))
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let b = text.as_bytes();
    if b.get(4) != Some(&b'-') || b.get(7) != Some(&b'-') {
        return None;
    }
    let year = i32::try_from(digits(text.get(..4)?)?).ok()?;
    NaiveDate::from_ymd_opt(year, digits(text.get(5..7)?)?, digits(text.get(8..10)?)?)
}

fn parse_clock(text: &str) -> Option<chrono::NaiveTime> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let hour = two(parts.next()?)?;
    let minute = two(parts.next()?)?;
    let second = parts.next();
    if parts.next().is_some() || (fraction.is_some() && second.is_none()) {
        return None;
    }
    let micros = match fraction {
        None => 0,
        Some(f) if f.len() > 12 => return None,
        Some(f) => {
            digits_any(f)?;
            let six: String = f.chars().chain("000000".chars()).take(6).collect();
            digits_any(&six)?
        }
    };
    let second = second.map_or(Some(0), two)?;
    chrono::NaiveTime::from_hms_micro_opt(hour, minute, second, u32::try_from(micros).ok()?)
}

/// Minutes east of Greenwich; nothing and `Z` are 0.
fn parse_offset(text: &str) -> Option<i64> {
    let sign = match text.chars().next() {
        None => return Some(0),
        Some('Z' | 'z') => return (text.len() == 1).then_some(0),
        Some('-') => -1,
        Some(_) => 1,
    };
    let body = text.get(1..)?.replace(':', "");
    let (hours, minutes) = match body.len() {
        2 => (two(&body)?, 0),
        4 => (two(body.get(..2)?)?, two(body.get(2..)?)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes))
}

fn two(text: &str) -> Option<u32> {
    (text.len() == 2).then(|| digits(text)).flatten()
}

fn digits(text: &str) -> Option<u32> {
    digits_any(text).and_then(|n| u32::try_from(n).ok())
}

fn digits_any(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Seconds, or milliseconds where seconds would lie centuries away, since 1970.
fn from_number(n: f64) -> Option<NaiveDateTime> {
    let seconds = if n.abs() > 2e10 { n / 1000.0 } else { n };
    if !seconds.is_finite() || seconds.abs() > 2e11 {
        return None;
    }
    let micros = (seconds * 1e6).round() as i64;
    chrono::DateTime::from_timestamp_micros(micros).map(|t| t.naive_utc())
}

/// For `#[serde(with = "time")]`.
pub fn serialize<S: Serializer>(time: &NaiveDateTime, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&format(time))
}

/// For `#[serde(with = "time")]`: a text as [`parse`] takes it, or a Unix time.
pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<NaiveDateTime, D::Error> {
    let value = Value::deserialize(d)?;
    let time = match &value {
        Value::String(text) => parse(text),
        Value::Number(n) => n.as_f64().and_then(from_number),
        _ => None,
    };
    time.ok_or_else(|| D::Error::custom(format!("invalid datetime: {value}")))
}
