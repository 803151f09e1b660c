//! The names of a job's tasks on the server: a subject and a consumer for each generation. The
//! idea: the generation is in the name, so what belongs to an old one can be told and taken away
//! without touching a new one (`protocol.md` §3, 15 and 16).

/// The names under one prefix.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

/// Whether this may stand before every name.
pub(super) fn is_prefix(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 64 && text.chars().all(fits)
}

impl Names {
    pub(super) fn new(prefix: &str) -> Names {
        Names {
            prefix: prefix.to_owned(),
        }
    }

    /// The one stream.
    pub(super) fn stream(&self) -> String {
        format!("{}-tasks", self.prefix)
    }

    /// The subjects of all tasks.
    pub(super) fn all(&self) -> String {
        format!("{}.task.>", self.prefix)
    }

    /// The subjects of a job's generations.
    pub(super) fn of_job(&self, job: i64) -> String {
        format!("{}.task.{job}.*", self.prefix)
    }

    /// The subject of a generation.
    pub(super) fn subject(&self, job: i64, generation: i64) -> String {
        format!("{}.task.{job}.{generation}", self.prefix)
    }

    /// Job and generation of a subject.
    pub(super) fn read_subject(&self, subject: &str) -> Option<(i64, i64)> {
        let rest = subject.strip_prefix(self.prefix.as_str())?;
        pair(rest.strip_prefix(".task.")?, '.')
    }

    /// The consumer of a generation.
    pub(super) fn consumer(job: i64, generation: i64) -> String {
        format!("job-{job}-{generation}")
    }

    /// Job and generation of a consumer.
    pub(super) fn read_consumer(name: &str) -> Option<(i64, i64)> {
        pair(name.strip_prefix("job-")?, '-')
    }
}

fn pair(text: &str, between: char) -> Option<(i64, i64)> {
    let (job, generation) = text.split_once(between)?;
    Some((job.parse().ok()?, generation.parse().ok()?))
}

/// Where in the stream the message lies to which this reply subject belongs.
pub(super) fn sequence(reply: &str) -> Option<u64> {
    number(reply, 3)
}

/// How often that message had been delivered when it came with this reply subject.
pub(crate) fn deliveries(reply: &str) -> Option<i32> {
    i32::try_from(number(reply, 2)?).ok()
}

/// A number of a reply subject, in both forms of it
/// (`$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.…`, or with domain and account
/// before the stream).
fn number(reply: &str, at: usize) -> Option<u64> {
    let parts: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
    let before = if parts.len() > 8 { 2 } else { 0 };
    parts.get(before + at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_they_are_written() {
        let names = Names::new("moth");
        assert_eq!(names.read_subject(&names.subject(7, 2)), Some((7, 2)));
        assert_eq!(names.read_subject("other.task.7.2"), None);
        assert_eq!(names.read_subject("moth.task.7"), None);
        assert_eq!(Names::read_consumer(&Names::consumer(7, 2)), Some((7, 2)));
        assert_eq!(Names::read_consumer("somebody-else"), None);
    }

    #[test]
    fn a_prefix_is_one_word_of_a_subject() {
        for (text, fits) in [
            ("moth", true),
            ("a-b_1", true),
            ("", false),
            ("a.b", false),
            ("a *", false),
        ] {
            assert_eq!(is_prefix(text), fits, "{text:?}");
        }
    }

    #[test]
    fn the_numbers_of_a_reply_subject_are_found_in_both_forms() {
        assert_eq!(
            deliveries("$JS.ACK.s.c.2.31.9.1700000000000000000.4"),
            Some(2)
        );
        assert_eq!(
            sequence("$JS.ACK.s.c.2.31.9.1700000000000000000.4"),
            Some(31)
        );
        assert_eq!(
            sequence("$JS.ACK._.h4sh.s.c.2.31.9.1700000000000000000.4.x"),
            Some(31)
        );
        assert_eq!(
            deliveries("$JS.ACK._.h4sh.s.c.2.31.9.1700000000000000000.4.x"),
            Some(2)
        );
        assert_eq!(sequence("nonsense"), None);
    }
}
