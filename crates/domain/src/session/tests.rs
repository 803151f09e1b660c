//! Tests of the grouping: the rule's edges by hand, its promises by random times.
//! The idea: a slow second reading of the rule ([`by_the_book`]) must agree with the walk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

fn t(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

fn spans(times: &[&str]) -> Vec<(String, String)> {
    let times: Vec<_> = times.iter().map(|s| t(s)).collect();
    let show = |t: NaiveDateTime| t.format("%d %H:%M:%S").to_string();
    group(&times, gap(None))
        .iter()
        .map(|g| (show(g.start), show(g.end)))
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn a_night_over_midnight_is_one_session() {
    let night = [
        "2022-08-10 22:00:00",
        "2022-08-10 23:59:59",
        "2022-08-11 01:59:58",
    ];
    assert_eq!(spans(&night), pairs(&[("10 22:00:00", "11 01:59:58")]));
}

#[test]
fn a_pause_of_exactly_the_gap_splits_and_a_second_less_does_not() {
    let split = ["2022-08-10 23:00:00", "2022-08-11 01:00:00"];
    assert_eq!(
        spans(&split),
        pairs(&[
            ("10 23:00:00", "10 23:00:00"),
            ("11 01:00:00", "11 01:00:00")
        ])
    );
    let whole = ["2022-08-10 23:00:00", "2022-08-11 00:59:59"];
    assert_eq!(spans(&whole), pairs(&[("10 23:00:00", "11 00:59:59")]));
}

#[test]
fn runs_that_begin_on_one_day_share_a_session() {
    let day = [
        "2022-08-10 00:30:00",
        "2022-08-10 12:00:00",
        "2022-08-10 23:00:00",
        "2022-08-11 00:30:00",
    ];
    assert_eq!(spans(&day), pairs(&[("10 00:30:00", "11 00:30:00")]));
}

#[test]
fn a_run_is_cut_after_more_than_a_day() {
    let start = t("2022-08-10 22:00:00");
    let times: Vec<_> = (0..=49)
        .map(|i| start + Duration::minutes(30 * i))
        .collect();
    let groups = group(&times, gap(None));
    assert_eq!(groups.len(), 2);
    assert_eq!(
        groups[0].end,
        t("2022-08-11 22:00:00"),
        "exactly 24 h still belongs to it"
    );
    assert_eq!(groups[1].start, t("2022-08-11 22:30:00"));
}

#[test]
fn the_day_limit_counts_from_the_run_not_from_the_session() {
    // Two runs begin on the 10th; the second may last 24 h of its own, and not a minute more.
    let mut times = vec![t("2022-08-10 01:00:00")];
    times.extend((0..=24).map(|i| t("2022-08-10 22:00:00") + Duration::hours(i)));
    let groups = group(&times, gap(None));
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].end - groups[0].start, Duration::hours(45));
    times.push(t("2022-08-11 22:01:00"));
    assert_eq!(group(&times, gap(None)).len(), 2);
}

#[test]
fn shared_times_are_counted_once_each() {
    let times = [
        "2022-08-10 22:00:00",
        "2022-08-10 22:00:00",
        "2022-08-10 22:00:00",
        "2022-08-10 22:05:00",
    ]
    .map(t);
    let groups = group(&times, gap(None));
    assert_eq!(
        (groups.len(), groups[0].captures, groups[0].shared_times),
        (1, 4, 1)
    );
}

#[test]
fn no_times_no_sessions_and_disorder_is_refused() {
    assert!(group(&[], gap(None)).is_empty());
    let mut grouper = Grouper::new(gap(None));
    let (late, early) = (t("2022-08-10 22:00:00"), t("2022-08-10 21:00:00"));
    assert_eq!(grouper.push(late), Ok(None));
    assert_eq!(
        grouper.push(early),
        Err(OutOfOrder {
            previous: late,
            next: early
        })
    );
    assert_eq!(grouper.finish().map(|g| g.captures), Some(1));
}

#[test]
fn unset_and_senseless_gaps_mean_two_hours() {
    for seconds in [None, Some(0), Some(-5), Some(i64::MAX), Some(7200)] {
        assert_eq!(gap(seconds), Duration::hours(2));
    }
    assert_eq!(gap(Some(60)), Duration::minutes(1));
}

#[test]
fn figures_are_those_of_the_stage() {
    let stats = Stats {
        captures_grouped: 1,
        captures_missing_timestamp: 7,
        ..Stats::default()
    };
    let spec = &crate::job::kind(crate::job::REGROUP).unwrap().stages[0];
    let named: Vec<_> = stats
        .params()
        .iter()
        .map(|(name, key, _)| (*name, *key))
        .collect();
    assert_eq!(named, spec.params);
    assert_eq!((stats.params()[0].2, stats.params()[6].2), (1, 7));
}

#[test]
fn labels_as_recorded() {
    let (start, end) = (t("2025-04-20 22:01:00"), t("2025-04-20 23:28:00"));
    assert_eq!(session_name(start, Some(end)), "Sunday, Apr 20 2025");
    assert_eq!(duration_label(end - start), "1 hours 27 min");
    assert_eq!(
        session_name(t("2025-06-01 22:00:00"), Some(t("2025-06-02 04:00:00"))),
        "Sunday, Jun 1-2 2025"
    );
    assert_eq!(
        session_label(t("2021-01-31 22:00:00"), Some(t("2021-02-01 04:00:00"))),
        "Jan 31-1 2021"
    );
    assert_eq!(session_label(start, None), "Apr 20 2025");
    assert_eq!(
        duration_label(Duration::seconds(59 * 60 + 59)),
        "59 minutes"
    );
    assert_eq!(duration_label(Duration::minutes(1439)), "23 hours 59 min");
    assert_eq!(duration_label(Duration::hours(51)), "2 days 3 hours");
    assert_eq!(duration_label(Duration::seconds(-9)), "0 minutes");
}

/// The rule as the contract words it: distinct times, runs, then runs of one day joined.
fn by_the_book(
    times: &[NaiveDateTime],
    gap: Duration,
) -> Vec<(NaiveDate, NaiveDateTime, NaiveDateTime)> {
    let distinct: std::collections::BTreeSet<_> = times.iter().copied().collect();
    let mut runs: Vec<Vec<NaiveDateTime>> = Vec::new();
    for time in distinct {
        match runs.last_mut() {
            Some(run) if time - run[run.len() - 1] < gap && time - run[0] <= MAX_DURATION => {
                run.push(time)
            }
            _ => runs.push(vec![time]),
        }
    }
    let mut sessions = std::collections::BTreeMap::new();
    for run in runs {
        let (first, last) = (run[0], run[run.len() - 1]);
        sessions
            .entry(first.date())
            .and_modify(|s: &mut (_, _)| s.1 = last)
            .or_insert((first, last));
    }
    sessions
        .into_iter()
        .map(|(day, (start, end))| (day, start, end))
        .collect()
}

/// Times in clusters, so that runs, pauses and equal times all occur.
fn times() -> impl Strategy<Value = Vec<NaiveDateTime>> {
    let near = prop::collection::vec((0i64..6, 0i64..200), 0..60);
    near.prop_map(|list| {
        let base = t("2022-08-10 18:00:00");
        list.into_iter()
            .map(|(day, tens)| base + Duration::hours(20 * day) + Duration::minutes(10 * tens))
            .collect()
    })
}

fn gaps() -> impl Strategy<Value = Duration> {
    prop::sample::select(vec![600i64, 1200, 3600, 7200, 90_000]).prop_map(Duration::seconds)
}

proptest! {
    #[test]
    fn the_walk_follows_the_book(times in times(), gap in gaps()) {
        let groups: Vec<_> = group(&times, gap).iter().map(|g| (g.day, g.start, g.end)).collect();
        prop_assert_eq!(groups, by_the_book(&times, gap));
    }

    #[test]
    fn order_does_not_matter(times in times(), gap in gaps(), seed in any::<u64>()) {
        let mut shuffled = times.clone();
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(group(&times, gap), group(&shuffled, gap));
    }

    #[test]
    fn every_time_belongs_to_exactly_one_session(times in times(), gap in gaps()) {
        let groups = group(&times, gap);
        for time in &times {
            prop_assert_eq!(groups.iter().filter(|g| (g.start..=g.end).contains(time)).count(), 1);
        }
        prop_assert_eq!(groups.iter().map(|g| g.captures).sum::<u64>(), times.len() as u64);
        for pair in groups.windows(2) {
            prop_assert!(pair[0].end < pair[1].start && pair[0].day < pair[1].day);
        }
    }

    #[test]
    fn grouping_a_session_again_changes_nothing(times in times(), gap in gaps()) {
        for g in group(&times, gap) {
            let own: Vec<_> = times.iter().copied().filter(|t| (g.start..=g.end).contains(t)).collect();
            prop_assert_eq!(group(&own, gap), vec![g]);
        }
    }

    #[test]
    fn sessions_far_apart_do_not_touch_each_other(a in times(), b in times(), gap in gaps()) {
        let later: Vec<_> = b.iter().map(|t| *t + Duration::days(400)).collect();
        let both: Vec<_> = a.iter().chain(&later).copied().collect();
        let apart: Vec<_> = group(&a, gap).into_iter().chain(group(&later, gap)).collect();
        prop_assert_eq!(group(&both, gap), apart);
    }

    #[test]
    fn sessions_that_follow_at_once_are_parted_for_a_reason(times in times(), gap in gaps()) {
        for pair in group(&times, gap).windows(2) {
            let pause = pair[1].start - pair[0].end;
            prop_assert!(pause >= gap || pair[1].start - pair[0].start > MAX_DURATION);
        }
    }
}
