//! What is measured: the one list of metrics, with their kinds, labels and meaning. Whoever
//! records takes the name from here, so what is exposed, described and documented is the same.

/// How a metric is to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// How it stands now.
    Gauge,
    /// Times in seconds, by how many were at most so long.
    Histogram(&'static [f64]),
}

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Its name, in the conventions of Prometheus.
    pub name: &'static str,
    /// How it is to be read.
    pub kind: Kind,
    /// What it is told apart by.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence without its full stop.
    pub about: &'static str,
}

/// Of requests and saves.
const SHORT: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Of jobs.
const LONG: &[f64] = &[
    0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0, 86_400.0,
];

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    about: &'static str,
) -> Metric {
    Metric {
        name,
        kind: Kind::Counter,
        labels,
        about,
    }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], about: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Gauge,
        labels,
        about,
    }
}

const fn seconds(
    name: &'static str,
    bounds: &'static [f64],
    labels: &'static [&'static str],
    about: &'static str,
) -> Metric {
    Metric {
        name,
        kind: Kind::Histogram(bounds),
        labels,
        about,
    }
}

macro_rules! metrics {
    ($($word:ident = $metric:expr;)*) => {
        $(
            #[doc = "See its own words."]
            pub const $word: Metric = $metric;
        )*
        /// All of them, in the order of the documents.
        pub const ALL: &[Metric] = &[$($word),*];
    };
}

metrics! {
    BUILD = gauge("hawkmoth_build_info", &["version"],
        "1, with the version of the program");
    JOBS = gauge("hawkmoth_jobs", &["kind", "state"],
        "Jobs that have not ended, counted up to 10,000 of each state");
    OLDEST_JOB = gauge("hawkmoth_oldest_waiting_job_seconds", &[],
        "For how long the oldest waiting job has waited for a runner");
    JOBS_ENDED = counter("hawkmoth_jobs_ended_total", &["kind", "state"],
        "Jobs that this process ended");
    JOB_WAIT = seconds("hawkmoth_job_wait_seconds", LONG, &["kind"],
        "How long jobs waited for a runner, from when they were asked to run");
    JOB_RUN = seconds("hawkmoth_job_run_seconds", LONG, &["kind"],
        "How long jobs ran, from their first runner to their end");
    JOBS_RESCUED = counter("hawkmoth_jobs_rescued_total", &[],
        "Jobs that this process took from a runner that was silent");
    TASKS = gauge("hawkmoth_tasks", &["state"],
        "Images of running jobs that wait, are leased, or are dead (handed out as often as allowed), \
         counted up to 100,000 of each");
    OLDEST_TASK = gauge("hawkmoth_oldest_waiting_task_seconds", &[],
        "For how long the oldest image that waits has waited: since its lease ended, or, where \
         nobody had it yet or it lies in NATS, since its job was taken up");
    TASKS_LEASED = counter("hawkmoth_tasks_leased_total", &[],
        "Images that this process handed out");
    LEASE_EXPIRIES = counter("hawkmoth_lease_expiries_total", &[],
        "Images that were handed out again, since the lease before had ended without an answer");
    DEAD_LETTERS = counter("hawkmoth_dead_letters_total", &[],
        "Images that this process wrote down as failed because nobody answered");
    IMAGES_SAVED = counter("hawkmoth_images_saved_total", &["outcome"],
        "Images that became done or failed by a save of this process");
    SAVE = seconds("hawkmoth_save_seconds", SHORT, &[],
        "How long saves of results took, from the call to after the commit");
    DELIVERIES = counter("hawkmoth_deliveries_total", &["kind", "outcome"],
        "Tries of this process to tell somebody, by `webhook` or `email`: `delivered`, `again` (there \
         is another try later) or `failed` (given up)");
    DELIVERIES_WAITING = gauge("hawkmoth_deliveries_waiting", &[],
        "Webhooks and letters that are to be sent, for the first time or again, counted up to 10,000");
    HTTP_REQUESTS = counter("hawkmoth_http_requests_total", &["method", "route", "status"],
        "Requests that were answered");
    HTTP_TIME = seconds("hawkmoth_http_request_seconds", SHORT, &["method", "route"],
        "How long requests took until their answer began");
    HTTP_RUNNING = gauge("hawkmoth_http_requests_in_flight", &[],
        "Requests that are being answered");
    HTTP_REFUSED = counter("hawkmoth_http_refused_total", &["reason"],
        "Requests that a limit refused: `busy`, `throttled`, `slow`, `large`");
    CONNECTIONS = gauge("hawkmoth_http_connections", &[],
        "Open connections of clients");
    POOL = gauge("hawkmoth_database_connections", &["pool", "state"],
        "Open connections to the database, `idle` and `used`");
    POOL_MOST = gauge("hawkmoth_database_connections_max", &["pool"],
        "How many connections to the database there may be");
    CPU = counter("hawkmoth_process_cpu_seconds_total", &[],
        "Processor time of the process");
    MEMORY = gauge("hawkmoth_process_resident_memory_bytes", &[],
        "Memory that the process occupies");
    VIRTUAL = gauge("hawkmoth_process_virtual_memory_bytes", &[],
        "Memory that the process has addressed");
    VIRTUAL_MOST = gauge("hawkmoth_process_virtual_memory_max_bytes", &[],
        "How much memory the process may address");
    STARTED = gauge("hawkmoth_process_start_time_seconds", &[],
        "When the process began, in seconds since 1970");
    FILES = gauge("hawkmoth_process_open_fds", &[],
        "Open files and connections of the process");
    FILES_MOST = gauge("hawkmoth_process_max_fds", &[],
        "How many files and connections the process may have open");
    THREADS = gauge("hawkmoth_process_threads", &[],
        "Threads of the process");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        for metric in ALL {
            let Metric { name, labels, .. } = metric;
            let alphabet = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(
                name.starts_with("hawkmoth_") && name.chars().all(alphabet),
                "{name}"
            );
            assert!(!metric.about.ends_with('.'), "{name}");
            assert!(labels.is_sorted(), "{name}");
            match metric.kind {
                Kind::Counter => assert!(name.ends_with("_total"), "{name}"),
                Kind::Histogram(bounds) => {
                    assert!(name.ends_with("_seconds"), "{name}");
                    assert!(bounds.is_sorted(), "{name}");
                }
                Kind::Gauge => assert!(!name.ends_with("_total"), "{name}"),
            }
        }
        let mut names: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
