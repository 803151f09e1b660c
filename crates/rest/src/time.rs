//! Times as the API writes them: without zone, with microseconds, in the server's own zone;
//! durations as seconds in text.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};

/// A time without zone: `2026-11-23T08:17:09.449518`, the fraction only where there is one.
pub fn naive(time: NaiveDateTime) -> String {
    if time.and_utc().timestamp_subsec_micros() == 0 {
        time.format("%Y-%m-%dT%H:%M:%S").to_string()
    } else {
        time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
    }
}

/// An instant in the server's zone, which is UTC.
pub fn instant(time: DateTime<Utc>) -> String {
    naive(time.naive_utc())
}

/// Seconds as text: "0.042519", "3.0".
pub fn seconds(duration: Duration) -> String {
    format!("{:?}", duration.as_seconds_f64())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_read_as_recorded() {
        let at = |s: &str| NaiveDateTime::parse_from_str(s, "%Y-%m-%d %H:%M:%S%.f").unwrap();
        assert_eq!(
            naive(at("2026-11-23 08:17:09.449518")),
            "2026-11-23T08:17:09.449518"
        );
        assert_eq!(naive(at("2022-08-10 23:15:07")), "2022-08-10T23:15:07");
        assert_eq!(seconds(Duration::microseconds(42_519)), "0.042519");
        assert_eq!(seconds(Duration::seconds(3)), "3.0");
    }
}
