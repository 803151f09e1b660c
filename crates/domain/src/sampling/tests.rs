//! Properties of choosing captures: what is chosen was there, is as much as was asked for, and
//! follows from the seed alone.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Candidate, Order, Plan, Sampler};

fn start() -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2024, 6, 1).unwrap();
    day.and_hms_opt(20, 0, 0).unwrap()
}

fn settings(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn plan(method: &str, value: Value) -> Plan {
    Plan::read(method, &settings(value), 7).unwrap()
}

/// What a method chooses, seeing the captures in the order that it wants.
fn choose(plan: &Plan, captures: &[Candidate]) -> Vec<i64> {
    let mut seen: Vec<&Candidate> = captures.iter().collect();
    match plan.order() {
        Order::Any => {}
        Order::Time => {
            seen.retain(|c| c.taken_at.is_some());
            seen.sort_by_key(|c| (c.taken_at, c.id));
        }
        Order::StationTime => {
            seen.retain(|c| c.taken_at.is_some() && c.station.is_some());
            seen.sort_by_key(|c| (c.station, c.taken_at, c.id));
        }
    }
    let mut sampler = Sampler::new(plan.clone());
    seen.into_iter().for_each(|capture| sampler.see(capture));
    sampler.chosen()
}

fn captures() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (
        proptest::option::weighted(0.9, 0..4_i64),
        proptest::option::weighted(0.9, 0..6_i64),
        proptest::option::weighted(0.9, 0..3000_i64),
        proptest::option::weighted(0.8, 0..50_i64),
        any::<bool>(),
    );
    proptest::collection::vec(one, 0..120).prop_map(|rows| {
        let rows = rows.into_iter().zip(1..);
        rows.map(|((station, session, minute, size, found), id)| Candidate {
            id,
            station,
            session,
            taken_at: minute.map(|m| start() + TimeDelta::minutes(m)),
            size,
            found,
        })
        .collect()
    })
}

/// A method with settings that it takes.
fn asked() -> impl Strategy<Value = (&'static str, Value)> {
    (
        0..12_usize,
        0..30_u64,
        proptest::option::of(0..40_u64),
        any::<bool>(),
    )
        .prop_map(|(which, n, most, flag)| match which {
            0 => ("full", json!({})),
            1 => ("random", json!({"size": n})),
            2 => ("stratified_random", json!({"size": n})),
            3 => ("stratified_random", json!({"num_each": n})),
            4 => ("manual", json!({"image_ids": [n, n + 1, 1000]})),
            5 => ("interval", json!({"minute_interval": n, "max_num": most})),
            6 => (
                "common_combined",
                json!({"minute_interval": n, "max_num": most}),
            ),
            7 => ("common_combined", json!({"max_num": most, "shuffle": flag})),
            8 => ("random_from_each_event", json!({"num_each": n})),
            9 => ("last_and_random_from_each_event", json!({"num_each": n})),
            10 => ("greatest_file_size_from_each_event", json!({"num_each": n})),
            _ => ("detections_only", json!({})),
        })
}

fn by_session(captures: &[Candidate]) -> BTreeMap<i64, Vec<&Candidate>> {
    let mut sessions: BTreeMap<i64, Vec<&Candidate>> = BTreeMap::new();
    for capture in captures {
        if let Some(session) = capture.session {
            sessions.entry(session).or_default().push(capture);
        }
    }
    sessions
}

proptest! {
    #[test]
    fn what_is_chosen_was_there_once_and_again((method, value) in asked(), all in captures()) {
        let plan = plan(method, value);
        let chosen = choose(&plan, &all);
        let once: BTreeSet<i64> = chosen.iter().copied().collect();
        prop_assert_eq!(once.len(), chosen.len());
        prop_assert!(once.iter().all(|id| all.iter().any(|c| c.id == *id)));
        let mut turned = all.clone();
        turned.reverse();
        let again: BTreeSet<i64> = choose(&plan, &turned).into_iter().collect();
        prop_assert_eq!(once, again);
    }

    #[test]
    fn a_filter_leaves_less_to_choose_from((method, value) in asked(), all in captures(), hour in 0..24_i64) {
        let mut narrow = value.as_object().unwrap().clone();
        narrow.insert("hour_start".to_owned(), json!(hour));
        narrow.insert("hour_end".to_owned(), json!((hour + 5) % 24));
        narrow.insert("deployment_ids".to_owned(), json!([1, 2]));
        let plan = plan(method, Value::Object(narrow));
        let passed: Vec<Candidate> = all.iter().filter(|c| plan.filter.keeps(c)).copied().collect();
        prop_assert!(passed.iter().all(|c| c.taken_at.is_some() && c.station.is_some()));
        prop_assert_eq!(choose(&plan, &all), choose(&plan, &passed));
    }

    #[test]
    fn random_takes_the_number_asked_for(size in 0..200_usize, all in captures()) {
        let chosen = choose(&plan("random", json!({"size": size})), &all);
        prop_assert_eq!(chosen.len(), size.min(all.len()));
        let even = choose(&plan("stratified_random", json!({"size": size})), &all);
        let sessions = by_session(&all);
        let there: usize = sessions.values().map(Vec::len).sum();
        prop_assert_eq!(even.len(), size.min(there));
        // No session has two more than one that could give another.
        let of = |session: &Vec<&Candidate>| session.iter().filter(|c| even.contains(&c.id)).count();
        let most = sessions.values().map(of).max().unwrap_or(0);
        for session in sessions.values() {
            prop_assert!(of(session) + 1 >= most.min(session.len() + 1));
        }
    }

    #[test]
    fn sessions_give_their_last_or_largest(n in 0..8_usize, all in captures()) {
        let last = choose(&plan("last_and_random_from_each_event", json!({"num_each": n})), &all);
        let largest = choose(&plan("greatest_file_size_from_each_event", json!({"num_each": n})), &all);
        for session in by_session(&all).values() {
            let latest = session.iter().filter(|c| c.taken_at.is_some()).max_by_key(|c| (c.taken_at, c.id));
            let got = session.iter().filter(|c| last.contains(&c.id)).count();
            prop_assert_eq!(got, session.len().min(n + usize::from(latest.is_some())));
            prop_assert!(latest.is_none_or(|c| last.contains(&c.id)));
            let (taken, left): (Vec<&&Candidate>, Vec<&&Candidate>) =
                session.iter().partition(|c| largest.contains(&c.id));
            prop_assert_eq!(taken.len(), session.len().min(n));
            let least = taken.iter().map(|c| c.size).min().flatten();
            prop_assert!(taken.is_empty() || left.iter().all(|c| c.size <= least));
        }
    }

    #[test]
    fn an_interval_lies_between_captures_of_a_station(minutes in 1..200_i64, most in 1..60_usize, all in captures()) {
        let chosen = choose(&plan("interval", json!({"minute_interval": minutes, "max_num": most})), &all);
        prop_assert!(chosen.len() <= most);
        let whole = choose(&plan("interval", json!({"minute_interval": minutes})), &all);
        let time = |id: &i64| all.iter().find(|c| c.id == *id).and_then(|c| Some((c.taken_at?, c.station?)));
        prop_assert_eq!(&whole[..chosen.len()], &chosen[..]);
        for station in 0..4 {
            let times: Vec<NaiveDateTime> = whole.iter().filter_map(time).filter(|t| t.1 == station).map(|t| t.0).collect();
            prop_assert!(times.windows(2).all(|w| w[1] - w[0] >= TimeDelta::minutes(minutes)));
            let first = all.iter().filter(|c| c.station == Some(station)).filter_map(|c| c.taken_at).min();
            prop_assert_eq!(times.first().copied(), first);
            // Nothing that could have been taken was left out.
            for capture in all.iter().filter(|c| c.station == Some(station)) {
                let Some(at) = capture.taken_at else { continue };
                let before = times.iter().rev().find(|t| **t <= at).unwrap();
                prop_assert!(at - *before < TimeDelta::minutes(minutes));
            }
        }
    }
}

#[test]
fn another_seed_draws_others() {
    let all: Vec<Candidate> = (1..=1000)
        .map(|id| Candidate {
            id,
            ..Candidate::default()
        })
        .collect();
    let draw = |seed: i64| -> BTreeSet<i64> {
        let plan = plan("random", json!({"size": 100, "seed": seed}));
        choose(&plan, &all).into_iter().collect()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    // About a tenth of what one seed draws is drawn by another.
    let shared = draw(1).intersection(&draw(2)).count();
    assert!((2..30).contains(&shared), "{shared}");
}

#[test]
fn the_web_client_may_send_what_it_sends() {
    let sent = json!({"minute_interval": 15, "max_num": 5, "date_start": "2024-06-01", "hour_start": null});
    assert!(Plan::read("interval", &settings(sent), 0).is_ok());
}

#[test]
fn what_is_wrong_is_said() {
    let words = |method: &str, value: Value| {
        let read = Plan::read(method, &settings(value), 0);
        read.unwrap_err().to_string()
    };
    assert_eq!(
        words("nth", json!({})),
        "There is no method \"nth\" to choose captures by."
    );
    assert_eq!(
        words("random", json!({"minute_interval": 3})),
        "The method \"random\" does not take the setting \"minute_interval\"."
    );
    assert_eq!(
        words("random", json!({"size": -1})),
        "The setting \"size\" must be a whole number, 0 or more."
    );
    assert_eq!(
        words("full", json!({"date_end": "June"})),
        "The setting \"date_end\" must be a day such as 2024-06-30."
    );
    assert_eq!(
        words("full", json!({"event_ids": "7, x"})),
        "The setting \"event_ids\" must be a list of whole numbers."
    );
    assert_eq!(
        words("manual", json!({})),
        "The method \"manual\" needs the setting \"image_ids\"."
    );
}

#[test]
fn hours_go_over_midnight() {
    let at = |hour: u32| Candidate {
        taken_at: start().date().and_hms_opt(hour, 30, 0),
        ..Candidate::default()
    };
    let hours = |from: Option<i64>, to: Option<i64>| -> Vec<u32> {
        let plan = plan("full", json!({"hour_start": from, "hour_end": to}));
        (0..24).filter(|h| plan.filter.keeps(&at(*h))).collect()
    };
    assert_eq!(hours(Some(22), Some(2)), [0, 1, 2, 22, 23]);
    assert_eq!(hours(Some(2), Some(4)), [2, 3, 4]);
    assert_eq!(hours(Some(22), None), [22, 23]);
    assert_eq!(hours(None, Some(1)), [0, 1]);
}

#[test]
fn the_last_night_began_on_the_day_before() {
    let day = |d: u32| NaiveDate::from_ymd_opt(2024, 6, d).unwrap();
    let taken = |d: u32, hour: u32| Candidate {
        taken_at: day(d).and_hms_opt(hour, 0, 0),
        ..Candidate::default()
    };
    let mut last = plan("full", json!({"last_nights": 1}));
    // Nobody has said yet which day it is.
    assert!(!last.filter.keeps(&taken(9, 23)));
    last.filter.on(day(10));
    for (capture, kept) in [
        (taken(9, 11), false),
        (taken(9, 12), true),
        (taken(9, 23), true),
        (taken(10, 4), true),
        (taken(10, 12), false),
        (Candidate::default(), false),
    ] {
        assert_eq!(last.filter.keeps(&capture), kept, "{capture:?}");
    }
    let mut week = plan("full", json!({"last_nights": 7, "hour_start": 22}));
    week.filter.on(day(10));
    assert!(week.filter.keeps(&taken(3, 22)));
    assert!(!week.filter.keeps(&taken(2, 22)));
    assert!(!week.filter.keeps(&taken(5, 4)));
    for wrong in [json!(0), json!(-1), json!(367), json!("last")] {
        let read = Plan::read("full", &settings(json!({"last_nights": wrong})), 0);
        assert!(read.is_err(), "{wrong}");
    }
}
