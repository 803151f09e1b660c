//! Tests of schedules: the clock at its worst, properties of every expression, and the moves of a
//! chain.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono::{DateTime, Duration, Timelike, Utc};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::state::JobState;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// So many times of an expression after an instant.
fn times(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let rhythm = Rhythm::read(cron, zone).unwrap();
    let mut time = at(from);
    let mut all = Vec::new();
    for _ in 0..count {
        time = rhythm.after(time).unwrap();
        all.push(time.format("%m-%dT%H:%MZ").to_string());
    }
    all
}

#[test]
fn expressions_are_read_on_the_clock_of_their_zone() {
    assert_eq!(
        times("0 6 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", 2),
        ["07-01T04:00Z", "07-02T04:00Z"]
    );
    assert_eq!(
        times(
            "30 5 * * MON",
            "America/New_York",
            "2026-12-01T00:00:00Z",
            2
        ),
        ["12-07T10:30Z", "12-14T10:30Z"]
    );
    assert_eq!(
        times("@daily", "Asia/Kolkata", "2026-01-01T00:00:00.5Z", 1),
        ["01-01T18:30Z"]
    );
}

#[test]
fn what_the_clock_leaps_over_comes_behind_the_leap_once() {
    // In Berlin 02:00 to 03:00 of 2026-03-29 does not exist; the leap is at 01:00Z.
    let berlin = |cron| times(cron, "Europe/Berlin", "2026-03-28T12:00:00Z", 3);
    assert_eq!(
        berlin("30 2 * * *"),
        ["03-29T01:00Z", "03-30T00:30Z", "03-31T00:30Z"]
    );
    assert_eq!(
        berlin("15,45 2,3 29 3 *")[..3],
        ["03-29T01:00Z", "03-29T01:15Z", "03-29T01:45Z"]
    );
    // Half an hour on Lord Howe Island, from 02:00 to 02:30.
    assert_eq!(
        times(
            "10 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            1
        ),
        ["10-03T15:30Z"]
    );
    // A whole day in Samoa: after 2011-12-29 came 2011-12-31.
    assert_eq!(
        times("0 6 * * *", "Pacific/Apia", "2011-12-29T17:00:00Z", 2),
        ["12-30T10:00Z", "12-30T16:00Z"]
    );
}

#[test]
fn what_the_clock_shows_twice_comes_the_first_time_only() {
    // In New York 01:00 to 02:00 of 2026-11-01 comes twice, from 05:00Z and from 06:00Z.
    let york = |cron, from| times(cron, "America/New_York", from, 2);
    assert_eq!(
        york("30 1 * * *", "2026-10-31T12:00:00Z"),
        ["11-01T05:30Z", "11-02T06:30Z"]
    );
    assert_eq!(
        york("30 1,13 * * *", "2026-11-01T05:30:00Z"),
        ["11-01T18:30Z", "11-02T06:30Z"]
    );
    // Begun within the second of the two hours.
    assert_eq!(
        york("30 1 * * *", "2026-11-01T06:10:00Z"),
        ["11-02T06:30Z", "11-03T06:30Z"]
    );
}

#[test]
fn every_hour_means_the_time_that_passes() {
    assert_eq!(
        times("30 * * * *", "America/New_York", "2026-11-01T04:40:00Z", 3),
        ["11-01T05:30Z", "11-01T06:30Z", "11-01T07:30Z"]
    );
    assert_eq!(
        times("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
        ["03-29T00:30Z", "03-29T01:30Z", "03-29T02:30Z"]
    );
    assert_eq!(
        times("@hourly", "Europe/Berlin", "2026-03-29T00:30:00Z", 2),
        ["03-29T01:00Z", "03-29T02:00Z"]
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    for cron in [
        "",
        "6",
        "0 6 * *",
        "0 0 6 * * *",
        "0 0 6 * * * 2027",
        "60 * * * *",
        "* 24 * * *",
        "0 6 * * MOON",
        "@reboot",
        "every day",
        "* * * * * é",
        "0 6 0 * *",
        "*/0 * * * *",
    ] {
        let wrong = Rhythm::read(cron, "UTC").unwrap_err();
        assert!(matches!(wrong, BadRhythm::Cron(_)), "{cron}: {wrong}");
        assert!(wrong.to_string().contains("five fields"), "{wrong}");
    }
    for cron in ["0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
        assert_eq!(Rhythm::read(cron, "UTC").unwrap_err(), BadRhythm::Never);
    }
    assert!(Rhythm::read("0 0 29 2 +MON", "UTC").is_ok());
    assert_eq!(
        Rhythm::read(&"*".repeat(200), "UTC").unwrap_err(),
        BadRhythm::Long
    );
    for zone in ["", "Mars/Olympus", "+02:00", "CESTX"] {
        let wrong = Rhythm::read("0 6 * * *", zone).unwrap_err();
        assert_eq!(wrong, BadRhythm::Zone(zone.to_owned()));
    }
}

/// Fields of expressions that come round.
fn expression() -> impl Strategy<Value = String> {
    let minute = prop_oneof![
        "[0-5]?[0-9]",
        Just("*/15".to_owned()),
        Just("0,30".to_owned())
    ];
    let hour = prop_oneof![
        (0..24u32).prop_map(|h| h.to_string()),
        Just("*".to_owned()),
        Just("1-3".to_owned()),
        Just("*/2".to_owned()),
    ];
    let weekday = prop_oneof![Just("*".to_owned()), Just("MON-FRI".to_owned())];
    let day = prop_oneof![
        Just("*".to_owned()),
        Just("L".to_owned()),
        Just("1,15".to_owned())
    ];
    (minute, hour, day, weekday)
        .prop_map(|(minute, hour, day, weekday)| format!("{minute} {hour} {day} * {weekday}"))
}

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Chatham",
];

proptest! {
    /// Whatever is sent is read or refused; nothing panics, and what is read comes round.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}", zone in "\\PC{0,20}") {
        if let Ok(rhythm) = Rhythm::read(&text, "Europe/Berlin") {
            prop_assert!(rhythm.after(at("2026-01-01T00:00:00Z")).is_some());
        }
        let _ = Rhythm::read("0 6 * * *", &zone);
    }

    /// The next time lies ahead, and there is none between: asked again from any instant
    /// before it, it is the same.
    #[test]
    fn the_next_time_is_the_first_one(
        cron in expression(),
        zone in prop::sample::select(&ZONES[..]),
        start in 1_700_000_000_000i64..1_900_000_000_000,
        share in 0.0..1.0f64,
    ) {
        let rhythm = Rhythm::read(&cron, zone).unwrap();
        let from = DateTime::from_timestamp_millis(start).unwrap();
        let next = rhythm.after(from).unwrap();
        prop_assert!(next > from, "{next} after {from}");
        prop_assert_eq!((next.second(), next.nanosecond()), (0, 0));
        let between = from + (next - from - Duration::milliseconds(1)).mul(share);
        prop_assert_eq!(rhythm.after(between), Some(next));
        prop_assert!(rhythm.after(next).unwrap() > next);
    }

    /// What is due and begun late is due again after now, once, however long it was missed.
    #[test]
    fn what_was_missed_is_made_up_once(
        cron in expression(),
        zone in prop::sample::select(&ZONES[..]),
        start in 1_700_000_000i64..1_900_000_000,
        minutes in 0i64..100_000,
    ) {
        let rhythm = Rhythm::read(&cron, zone).unwrap();
        let due = rhythm.after(DateTime::from_timestamp(start, 0).unwrap()).unwrap();
        let now = due + Duration::minutes(minutes);
        let again = due_again(&rhythm, now).unwrap();
        prop_assert!(again > now);
        prop_assert_eq!(rhythm.after(now), Some(again));
    }

    /// A chain goes on only behind a step of which every job has succeeded, and ends.
    #[test]
    fn a_chain_goes_on_behind_success_only(
        steps in 1usize..6,
        step in 0usize..6,
        jobs in prop::collection::vec(prop::sample::select(&JobState::ALL[..]), 0..5),
        gone in 0usize..2,
    ) {
        let step = step.min(steps - 1);
        let all_over = jobs.iter().all(|state| state.is_final());
        let well = gone == 0 && jobs.iter().all(|state| *state == JobState::Success);
        let expected = match (all_over, well) {
            (false, _) => Move::Wait,
            (true, false) => Move::Broken,
            (true, true) if step + 1 == steps => Move::Done,
            (true, true) => Move::Begin(step + 1),
        };
        prop_assert_eq!(next_move(steps, step, &jobs, gone), expected);
    }
}

/// A share of a span.
trait Share {
    fn mul(self, share: f64) -> Duration;
}

impl Share for Duration {
    fn mul(self, share: f64) -> Duration {
        Duration::milliseconds((self.num_milliseconds() as f64 * share) as i64)
    }
}

#[test]
fn steps_are_kept_in_the_words_of_the_api() {
    let step: Step = serde_json::from_value(json!({
        "job_type_key": "ml", "pipeline_id": 3, "source_image_collection_id": 4,
    }))
    .unwrap();
    assert!(step.shuffle);
    assert_eq!(step.faults(), []);
    assert_eq!(step.job_name("Night"), "Night: ML pipeline");
    let kept = serde_json::to_value(&step).unwrap();
    assert_eq!(kept["job_type_key"], "ml");
    assert_eq!(kept["deployment_id"], json!(null));
}

#[test]
fn what_a_kind_needs_and_does_not_take_is_told() {
    let faults = |value| {
        let step: Step = serde_json::from_value(value).unwrap();
        let names = step.faults().into_iter().map(|(name, _)| name);
        names.collect::<Vec<_>>()
    };
    for (value, expected) in [
        (json!({"job_type_key": "data_storage_sync"}), &[][..]),
        (json!({"job_type_key": "unknown"}), &["job_type_key"]),
        (json!({"job_type_key": "delay"}), &["job_type_key"]),
        (
            json!({"job_type_key": "ml"}),
            &["pipeline_id", "source_image_collection_id"],
        ),
        (
            json!({"job_type_key": "ml", "pipeline_id": 1, "deployment_id": 1,
                   "source_image_collection_id": 1}),
            &["deployment_id"],
        ),
        (
            json!({"job_type_key": "populate_captures_collection", "limit": 3}),
            &["source_image_collection_id", "limit"],
        ),
        (json!({"job_type_key": "data_export"}), &["params"]),
        (
            json!({"job_type_key": "regroup_events", "params": {"a": 1}}),
            &["params"],
        ),
    ] {
        assert_eq!(faults(value.clone()), expected, "{value}");
    }
}

#[test]
fn every_kind_of_job_can_be_scheduled() {
    let scheduled = SCHEDULED.iter().map(|takes| takes.kind);
    let all = crate::job::KINDS.iter().map(|kind| kind.key);
    let all = all.filter(|kind| *kind != "unknown");
    assert!(scheduled.eq(all));
}
