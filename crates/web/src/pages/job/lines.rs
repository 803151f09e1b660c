//! The newest lines of a job's log, and how many there are: a log may be much longer than what a
//! page shows, and then the page says so.

use store::{Store, StoreResult};

use super::view::LineView;
use crate::pages::columns::grouped;

/// Lines on the page.
pub const LINES: u64 = 200;
/// Lines are counted no further: the page is read anew twice a second.
const MOST: u64 = 10_000;

/// The newest lines.
pub struct Lines {
    /// The newest first.
    pub newest: Vec<LineView>,
    /// How many there are in words, where those are not all.
    pub all: Option<String>,
}

impl Lines {
    /// Reads them.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn read(store: &Store, job: i64) -> StoreResult<Lines> {
        let lines = store.job_log(job, LINES).await?;
        let count = match lines.len() as u64 {
            LINES => store.job_log_up_to(job, MOST).await?,
            few => few,
        };
        let newest = LineView::all(lines);
        let all = (count > newest.len() as u64).then(|| worded(count));
        Ok(Lines { newest, all })
    }
}

fn worded(count: u64) -> String {
    match count > MOST {
        true => format!("more than {}", grouped(MOST)),
        false => grouped(count),
    }
}

#[cfg(test)]
mod tests {
    use super::worded;

    #[test]
    fn what_was_not_counted_is_not_said() {
        assert_eq!(worded(1_234), "1,234");
        assert_eq!(worded(10_000), "10,000");
        assert_eq!(worded(10_001), "more than 10,000");
    }
}
