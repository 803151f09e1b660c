//! The filters that all methods of capture sets share (`domain-rules.md` §5): stations, sessions,
//! and parts of the calendar and of the night. One that is not given lets everything pass; an
//! empty list lets nothing pass.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::Candidate;

/// What a capture must be to be seen at all. Bounds are inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one of these stations.
    pub stations: Option<BTreeSet<i64>>,
    /// Of a station of one of these sites; whoever chooses turns them into stations first.
    pub sites: Option<BTreeSet<i64>>,
    /// Of one of these sessions.
    pub sessions: Option<BTreeSet<i64>>,
    /// Of this day or a later one.
    pub date_start: Option<NaiveDate>,
    /// Of this day or an earlier one.
    pub date_end: Option<NaiveDate>,
    /// Of this month of a year or a later one.
    pub month_start: Option<i64>,
    /// Of this month of a year or an earlier one.
    pub month_end: Option<i64>,
    /// Of this hour of a day or a later one; with a later start than end, over midnight.
    pub hour_start: Option<i64>,
    /// Of this hour of a day or an earlier one.
    pub hour_end: Option<i64>,
    /// Of one of the last so many nights; whoever chooses counts them from a day first.
    pub last_nights: Option<i64>,
    /// Taken at this time or later, and before that one.
    pub between: Option<(NaiveDateTime, NaiveDateTime)>,
}

/// The most nights that may be counted back.
pub const MOST_NIGHTS: i64 = 366;

/// The last so many nights as they are on this day: from noon to noon, so that a night is whole
/// on whichever side of midnight a capture lies. With 1, the night that began on the day before.
pub fn last_nights(today: NaiveDate, nights: i64) -> (NaiveDateTime, NaiveDateTime) {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    let back = Days::new(u64::try_from(nights).unwrap_or_default());
    let first = today.checked_sub_days(back).unwrap_or(NaiveDate::MIN);
    (first.and_time(noon), today.and_time(noon))
}

impl Filter {
    /// Whether a capture passes. Without a time it passes only where no time is asked for; while
    /// nobody has said from which day the last nights are counted, none does.
    pub fn keeps(&self, capture: &Candidate) -> bool {
        let one_of = |wanted: &Option<BTreeSet<i64>>, id: Option<i64>| match wanted {
            None => true,
            Some(wanted) => id.is_some_and(|id| wanted.contains(&id)),
        };
        one_of(&self.stations, capture.station)
            && one_of(&self.sessions, capture.session)
            && match capture.taken_at {
                Some(at) => self.keeps_time(at),
                None => !self.asks_for_time(),
            }
    }

    /// Narrows to the stations of the sites.
    pub fn at_sites(&mut self, stations: BTreeSet<i64>) {
        self.sites = None;
        self.stations = Some(match self.stations.take() {
            Some(wanted) => wanted.intersection(&stations).copied().collect(),
            None => stations,
        });
    }

    /// Counts the last nights from this day.
    pub fn on(&mut self, today: NaiveDate) {
        if let Some(nights) = self.last_nights.take() {
            self.between = Some(last_nights(today, nights));
        }
    }

    fn asks_for_time(&self) -> bool {
        self.date_start.is_some()
            || self.date_end.is_some()
            || self.month_start.is_some()
            || self.month_end.is_some()
            || self.hour_start.is_some()
            || self.hour_end.is_some()
            || self.last_nights.is_some()
            || self.between.is_some()
    }

    fn keeps_time(&self, at: NaiveDateTime) -> bool {
        let (day, month, hour) = (at.date(), i64::from(at.month()), i64::from(at.hour()));
        let within = |from: Option<i64>, to: Option<i64>, value: i64| {
            from.is_none_or(|from| from <= value) && to.is_none_or(|to| value <= to)
        };
        let hours = match (self.hour_start, self.hour_end) {
            (Some(start), Some(end)) if start >= end => hour >= start || hour <= end,
            (start, end) => within(start, end, hour),
        };
        self.date_start.is_none_or(|start| start <= day)
            && self.date_end.is_none_or(|end| day <= end)
            && within(self.month_start, self.month_end, month)
            && hours
            && self.last_nights.is_none()
            && self.between.is_none_or(|(from, to)| from <= at && at < to)
    }
}
