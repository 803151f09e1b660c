//! Schedules: when a cron expression comes round in a time zone, what a chain of steps may hold,
//! and how a chain goes on. The idea: an expression is read on the clock of its zone, and what the
//! clock does twice a year is settled in one place ([`Rhythm::after`]).

use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

mod chain;
mod step;
#[cfg(test)]
mod tests;

pub use chain::{Move, next_move};
pub use step::{Fault, SCHEDULED, Step, WRONG_KIND};

/// Longest expression, in characters.
pub const LONGEST: usize = 100;

/// Minutes of the longest leap that a clock ever made: a whole day, where the date line moved.
const LONGEST_LEAP: i64 = 24 * 60;

/// Why a cron expression or a zone cannot be used, as a sentence for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRhythm {
    /// It cannot be read.
    #[error(
        "This is not a cron expression of five fields (minute, hour, day of the month, month, \
         day of the week), such as \"0 6 * * *\": {0}"
    )]
    Cron(String),
    /// It is longer than anybody needs.
    #[error("Ensure this field has no more than {LONGEST} characters.")]
    Long,
    /// No day of the calendar fits it.
    #[error("This never comes round: no day of the calendar fits it.")]
    Never,
    /// No zone has this name.
    #[error(
        "\"{0}\" is not a time zone: use a name of the IANA database, such as UTC or Europe/Berlin."
    )]
    Zone(String),
}

/// When something comes round.
#[derive(Clone, Debug)]
pub struct Rhythm {
    cron: Cron,
    zone: Tz,
    /// Whether it names every hour of the day.
    hourly: bool,
}

impl Rhythm {
    /// Reads a cron expression of five fields, or one of `@hourly`, `@daily`, `@weekly`,
    /// `@monthly` and `@yearly`, that is meant on the clock of this zone.
    ///
    /// # Errors
    /// [`BadRhythm`]; what is wrong with the expression comes first.
    pub fn read(cron: &str, zone: &str) -> Result<Rhythm, BadRhythm> {
        let cron = read_cron(cron)?;
        let hourly = (0..24).all(|hour| cron.pattern.hour_match(hour).unwrap_or(false));
        let zone = read_zone(zone)?;
        Ok(Rhythm { cron, zone, hourly })
    }

    /// The first time after this instant; `None` where there is none within thousands of years.
    ///
    /// Where the clock leaps forward, what stood in the hours that it left out comes at the first
    /// instant behind them, once. Where it goes back, what stands in the hours that it shows twice
    /// comes the first time only. An expression that names every hour of the day means the time
    /// that passes and not the clock: it misses the hour that does not exist and comes in both of
    /// those that are alike.
    pub fn after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = instant.with_timezone(&self.zone);
        if self.hourly {
            let next = self.cron.find_next_occurrence(&local, false).ok()?;
            return Some(next.to_utc());
        }
        let mut clock = local.naive_local();
        loop {
            clock = self.cron.find_next_occurrence(&clock, false).ok()?;
            let comes = self.instant(clock);
            // In the second of two hours that are alike the clock has shown it before.
            if comes > instant {
                return Some(comes);
            }
        }
    }

    /// The date on the clock of its zone.
    pub fn day(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.zone).date_naive()
    }

    /// When the clock shows this for the first time; where it leaps over it, the end of the leap.
    fn instant(&self, clock: NaiveDateTime) -> DateTime<Utc> {
        let whole = clock.with_second(0).unwrap_or(clock);
        for minutes in 0..=LONGEST_LEAP {
            let shown = match minutes {
                0 => clock,
                minutes => whole + TimeDelta::minutes(minutes),
            };
            if let Some(found) = self.zone.from_local_datetime(&shown).earliest() {
                return found.to_utc();
            }
        }
        clock.and_utc()
    }
}

/// When something that was due and is begun now is due again. However often it came round
/// meanwhile, that was made up by beginning it once.
pub fn due_again(rhythm: &Rhythm, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    rhythm.after(now)
}

/// A cron expression, if it can be read and comes round at all.
///
/// # Errors
/// [`BadRhythm`].
pub fn read_cron(text: &str) -> Result<Cron, BadRhythm> {
    if text.chars().count() > LONGEST {
        return Err(BadRhythm::Long);
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let cron = parser
        .parse(text)
        .map_err(|error| BadRhythm::Cron(error.to_string()))?;
    // Within 28 years every date has fallen on every day of the week, leap days too.
    let mut day = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
    let end = NaiveDate::from_ymd_opt(2028, 1, 1).unwrap_or_default();
    while day < end {
        if fits(&cron, day) {
            return Ok(cron);
        }
        day = day + Days::new(1);
    }
    Err(BadRhythm::Never)
}

/// Whether an expression has a time on this day.
fn fits(cron: &Cron, day: NaiveDate) -> bool {
    use chrono::Datelike;
    let pattern = &cron.pattern;
    let weekday = croner::Weekday::from_days_from_sunday(day.weekday().num_days_from_sunday());
    let day_fits = pattern.day_match(day.year(), day.month(), day.day(), weekday);
    pattern.month_match(day.month()).unwrap_or(false) && day_fits.unwrap_or(false)
}

/// A zone of the IANA database.
///
/// # Errors
/// [`BadRhythm::Zone`].
pub fn read_zone(name: &str) -> Result<Tz, BadRhythm> {
    Tz::from_str(name.trim()).map_err(|_| BadRhythm::Zone(name.to_owned()))
}
