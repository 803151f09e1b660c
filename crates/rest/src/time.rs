//! Times as the API writes them: without zone, with microseconds, in the server's own zone;
//! durations as seconds in text.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};

use crate::python;
use crate::zone::Zone;

/// A time without zone: `2026-11-23T08:17:09.449518`, the fraction only where there is one.
pub fn naive(time: NaiveDateTime) -> String {
    if time.and_utc().timestamp_subsec_micros() == 0 {
        time.format("%Y-%m-%dT%H:%M:%S").to_string()
    } else {
        time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
    }
}

/// Reads a time in ISO 8601; an offset is dropped, for times of captures are local.
pub fn read(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
        return Some(time.naive_local());
    }
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .into_iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// An instant on the server's clock.
pub fn instant(time: DateTime<Utc>) -> String {
    naive(Zone::current().local(time))
}

/// An instant on the server's clock as lines of a log show it: `2026-11-23 08:17:09`.
pub fn clock(time: DateTime<Utc>) -> String {
    let time = Zone::current().local(time);
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Seconds as text, to the microsecond: "0.042519", "3.0", "1.6e-05".
pub fn seconds(duration: Duration) -> String {
    // One division, so that the nearest number to the decimal is written: 6.062189, and not
    // 6.0621890000000005 as seconds and fraction would add up to.
    python::float(match duration.num_microseconds() {
        Some(micros) => micros as f64 / 1e6,
        None => duration.as_seconds_f64(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap()
    }

    #[test]
    fn times_read_as_recorded() {
        for (time, text) in [
            ("2026-11-23 08:17:09.449518", "2026-11-23T08:17:09.449518"),
            ("2026-11-23 08:17:09.4", "2026-11-23T08:17:09.400000"),
            ("2022-08-10 23:15:07", "2022-08-10T23:15:07"),
            ("2022-08-10 23:15:07.0000004", "2022-08-10T23:15:07"),
        ] {
            assert_eq!(naive(at(time)), text);
            assert_eq!(instant(at(time).and_utc()), text);
        }
    }

    #[test]
    fn durations_read_as_recorded() {
        for (micros, text) in [
            (0, "0.0"),
            (16, "1.6e-05"),
            (42_519, "0.042519"),
            (22_600, "0.0226"),
            (6_062_189, "6.062189"),
            (3_000_000, "3.0"),
            (4_680_000_000, "4680.0"),
            (-1_500_000, "-1.5"),
        ] {
            assert_eq!(seconds(Duration::microseconds(micros)), text);
        }
    }

    #[test]
    fn no_duration_has_more_than_six_digits_of_fraction() {
        for micros in (100_000..100_000_000).step_by(1_237) {
            let text = seconds(Duration::microseconds(micros));
            let fraction = text.split_once('.').map(|(_, f)| f.len());
            assert!(fraction.is_some_and(|digits| digits <= 6), "{text}");
        }
    }
}
