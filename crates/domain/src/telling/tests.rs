//! Tests of who is told what, of the waits between tries, and of the words that are sent.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn wishes(events: &[Event]) -> Wishes {
    Wishes {
        events: events.to_vec(),
        only_failures: false,
        minutes: 30,
    }
}

fn news() -> News {
    News {
        project: Named {
            id: 3,
            name: "Moths\nof the meadow".to_owned(),
        },
        job: Some(JobNews {
            id: 7,
            name: "Night".to_owned(),
            kind: "ml".to_owned(),
            status: "FAILURE".to_owned(),
            total: Some(10),
            done: 4,
            failed: 6,
            started_at: Some(at(0)),
            finished_at: Some(at(60)),
        }),
        detail: Some("Failed to process more than 50% of images".to_owned()),
        silence: None,
        at: at(60),
    }
}

#[test]
fn ends_are_told_to_those_who_want_them() {
    let all = wishes(&Event::CHOSEN);
    let failures = Wishes {
        only_failures: true,
        ..all.clone()
    };
    let silence = wishes(&[Event::JobNoWorker]);
    for state in JobState::ALL {
        assert_eq!(all.end(state), state.is_final(), "{state}");
        assert_eq!(failures.end(state), state == JobState::Failure, "{state}");
        assert!(!silence.end(state), "{state}");
    }
}

#[test]
fn silence_is_told_once_until_a_worker_was_heard_of() {
    let all = wishes(&Event::CHOSEN);
    assert!(!all.silence(at(0), None, at(30 * 60 - 1)));
    assert!(all.silence(at(0), None, at(30 * 60)));
    assert!(!all.silence(at(0), Some(at(30 * 60)), at(3600)));
    // A worker came, and went again.
    assert!(!all.silence(at(4000), Some(at(30 * 60)), at(4100)));
    assert!(all.silence(at(4000), Some(at(30 * 60)), at(4000 + 30 * 60)));
    assert!(!wishes(&[Event::JobEnded]).silence(at(0), None, at(9000)));
}

#[test]
fn it_is_tried_seven_times_ever_more_slowly_and_then_given_up() {
    let waits: Vec<u64> = (1..=TRIES)
        .map_while(|tries| wait_after(tries).map(|wait| wait.as_secs()))
        .collect();
    assert_eq!(waits, [10, 60, 300, 1800, 7200, 21600]);
    assert_eq!((wait_after(0), wait_after(TRIES)), (None, None));
    assert_eq!(wait_after(u32::MAX), None);
}

#[test]
fn words_round_trip() {
    for event in [Event::JobEnded, Event::JobNoWorker, Event::Test] {
        assert_eq!(Event::from_word(event.word()), Some(event));
        assert_eq!(serde_json::to_value(event).unwrap(), event.word());
    }
    for channel in [Channel::Webhook, Channel::Email] {
        assert_eq!(Channel::from_word(channel.word()), Some(channel));
    }
    assert_eq!(Event::from_word("job"), None);
    assert_eq!(Channel::from_word("fax"), None);
}

#[test]
fn a_body_says_what_happened_and_where_to_look() {
    let body = news().body(Event::JobEnded, "ab12", "https://moths.example");
    assert_eq!(body["event"], "job.ended");
    assert_eq!(body["delivery"], "ab12");
    assert_eq!(body["project"]["id"], 3);
    let job = &body["job"];
    assert_eq!(job["url"], "https://moths.example/projects/3/jobs/7");
    let counts = serde_json::json!({"total": 10, "done": 4, "failed": 6});
    assert_eq!(job["counts"], counts);
    assert_eq!(job["finished_at"], "2027-01-15T08:01:00.000000Z");
    assert_eq!(body["no_worker"], serde_json::Value::Null);
    let kept = serde_json::to_value(news()).unwrap();
    assert_eq!(serde_json::from_value::<News>(kept).unwrap(), news());
}

#[test]
fn a_letter_is_short_and_its_subject_one_line() {
    let ended = news();
    let subject = ended.subject(Event::JobEnded);
    assert_eq!(subject, "[Moths of the meadow] Job #7 \"Night\": FAILURE");
    let letter = ended.letter(Event::JobEnded, "https://moths.example");
    for words in [
        "has failed.",
        "Captures: 10, done: 4, failed: 6",
        "more than 50%",
        "https://moths.example/projects/3/jobs/7",
    ] {
        assert!(letter.contains(words), "{words}: {letter}");
    }
    let silent = News {
        silence: Some(Silence {
            minutes: 30,
            since: at(0),
        }),
        detail: None,
        ..news()
    };
    let letter = silent.letter(Event::JobNoWorker, "http://h");
    assert!(
        letter.contains("none was heard of since 2027-01-15 08:00 UTC"),
        "{letter}"
    );
    assert!(silent.subject(Event::JobNoWorker).ends_with("no worker"));
    let test = News {
        job: None,
        ..news()
    };
    assert!(
        test.letter(Event::Test, "http://h")
            .contains("/projects/3/jobs\n")
    );
    assert_eq!(
        test.body(Event::Test, "x", "http://h")["job"],
        serde_json::Value::Null
    );
}

proptest! {
    #[test]
    fn what_is_signed_is_said_by_nothing_else(
        one in (any::<i64>(), any::<String>()), other in (any::<i64>(), any::<String>()),
    ) {
        let same = one == other;
        prop_assert_eq!(signed(one.0, &one.1) == signed(other.0, &other.1), same);
        let text = signed(one.0, &one.1);
        let (time, body) = text.split_once('.').unwrap();
        prop_assert_eq!((time.parse(), body), (Ok(one.0), one.1.as_str()));
    }

    #[test]
    fn a_silence_that_goes_on_is_told_once(minutes in 1u32..2000, looks in prop::collection::vec(1i64..4000, 1..60)) {
        let all = Wishes { minutes, ..wishes(&Event::CHOSEN) };
        let (mut now, mut told, mut times) = (at(0), None, 0);
        for gap in looks {
            now += TimeDelta::seconds(gap);
            if all.silence(at(0), told, now) {
                (told, times) = (Some(now), times + 1);
            }
        }
        let long_enough = now - at(0) >= TimeDelta::minutes(minutes.into());
        prop_assert_eq!(times, i32::from(long_enough));
    }

    #[test]
    fn subjects_hold_one_line_of_bounded_length(name in any::<String>(), project in any::<String>()) {
        let mut told = news();
        told.project.name = project;
        told.job.as_mut().unwrap().name = name;
        let subject = told.subject(Event::JobEnded);
        prop_assert!(!subject.chars().any(char::is_control));
        prop_assert!(subject.chars().count() < 300);
    }
}
