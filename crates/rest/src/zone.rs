//! The server's time zone: the clock on which every time is told that leaves the server. The idea:
//! a zone is set around the task that answers (a request, a live page), so neither rows nor shapes
//! hand it on, and nothing is global.

use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

tokio::task_local! {
    static ZONE: Zone;
}

/// A time zone of the IANA database; by default UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// A name that no zone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time zone: use a name of the IANA database, such as UTC or Europe/Berlin")]
pub struct UnknownZone(String);

impl Default for Zone {
    fn default() -> Zone {
        Zone(Tz::UTC)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Zone, UnknownZone> {
        let zone = name.trim().parse().map(Zone);
        zone.map_err(|_| UnknownZone(name.to_owned()))
    }
}

impl Zone {
    /// Its name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What a clock of the zone shows at this instant.
    pub fn local(self, time: DateTime<Utc>) -> NaiveDateTime {
        time.with_timezone(&self.0).naive_local()
    }

    /// The instant with its offset: `2026-11-23T08:17:09.449518-05:00`.
    pub fn with_offset(self, time: DateTime<Utc>) -> String {
        let time = time.with_timezone(&self.0);
        time.format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
    }

    /// The instant at which a clock of the zone shows this; the earlier one where there are two,
    /// and where the clock leaps over it, what it would show without the leap.
    pub fn instant(self, time: NaiveDateTime) -> DateTime<Utc> {
        let hour = chrono::Duration::hours(1);
        let found = self.0.from_local_datetime(&time).earliest();
        let earlier = || self.0.from_local_datetime(&(time - hour)).earliest();
        match found {
            Some(time) => time.to_utc(),
            None => earlier().map_or_else(|| time.and_utc(), |t| t.to_utc() + hour),
        }
    }

    /// Tells all times of a future in this zone.
    pub async fn around<F: Future>(self, future: F) -> F::Output {
        ZONE.scope(self, future).await
    }

    /// The zone of the task; UTC where none was set.
    pub fn current() -> Zone {
        ZONE.try_with(|zone| *zone).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_names_of_the_database_are_zones() {
        assert_eq!("UTC".parse(), Ok(Zone::default()));
        assert!("America/New_York".parse::<Zone>().is_ok());
        for name in ["", "Mars/Olympus", "+02:00"] {
            let said = name.parse::<Zone>().unwrap_err().to_string();
            assert!(said.contains(&format!("{name:?} is not a time zone")));
        }
    }

    #[test]
    fn clocks_go_back_and_forth() {
        let zone: Zone = "America/New_York".parse().unwrap();
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let shown = |text| zone.local(at(text)).to_string();
        assert_eq!(
            shown("2026-11-23T13:17:09.449518Z"),
            "2026-11-23 08:17:09.449518"
        );
        assert_eq!(shown("2026-07-01T00:00:00Z"), "2026-06-30 20:00:00");
        assert_eq!(
            zone.with_offset(at("2026-07-01T00:00:00Z")),
            "2026-06-30T20:00:00.000000-04:00"
        );
        for (local, instant) in [
            ("2026-11-23T08:00:00", "2026-11-23T13:00:00Z"),
            ("2026-11-01T01:30:00", "2026-11-01T05:30:00Z"), // twice
            ("2026-03-08T02:30:00", "2026-03-08T07:30:00Z"), // never
        ] {
            let local: NaiveDateTime = local.parse().unwrap();
            assert_eq!(zone.instant(local), at(instant), "{local}");
        }
    }

    #[tokio::test]
    async fn a_zone_holds_for_its_task_only() {
        let zone: Zone = "Asia/Tokyo".parse().unwrap();
        let inner = zone.around(async { Zone::current() });
        assert_eq!((inner.await, Zone::current()), (zone, Zone::default()));
    }
}
