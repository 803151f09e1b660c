//! Lines of jobs' logs as text: `[2024-05-01 22:37:12] INFO message`, on the server's clock, and
//! where traces are linked with the link at the end. A whole log is sent piece by piece, so its
//! length costs no memory.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use rest::Zone;
use store::log::{Line, LogFilter};
use store::{Store, StoreError};

use crate::AppState;
use crate::linking::Linking;

/// Lines of one piece.
const PIECE: u64 = 1000;

/// A line as text, without its end.
pub fn text(line: &Line, zone: Zone, linking: Option<&Linking>) -> String {
    let at = zone.local(line.at).format("%Y-%m-%d %H:%M:%S");
    let said = format!("[{at}] {} {}", line.level, line.message);
    match linking {
        Some(linking) => format!("{said} {}", linking.end(line.trace.as_ref())),
        None => said,
    }
}

/// Where a download stands.
struct Reading {
    store: Store,
    job: i64,
    filter: LogFilter,
    zone: Zone,
    linking: Option<Linking>,
    after: i64,
}

impl Reading {
    /// The next piece, oldest lines first; `None` at the end.
    async fn next(mut self) -> Result<Option<(Bytes, Reading)>, StoreError> {
        let store = &self.store;
        let lines = store
            .job_log_after(self.job, &self.filter, self.after, PIECE)
            .await?;
        let Some(last) = lines.last() else {
            return Ok(None);
        };
        self.after = last.id;
        let piece: String = lines
            .iter()
            .map(|line| text(line, self.zone, self.linking.as_ref()) + "\n")
            .collect();
        Ok(Some((piece.into(), self)))
    }
}

/// The whole log of a job as a text file, oldest line first.
pub fn download(state: &AppState, job: i64, filter: LogFilter) -> Response {
    let reading = Reading {
        store: state.store.clone(),
        job,
        filter,
        zone: state.zone,
        linking: state.linking.clone(),
        after: i64::MIN,
    };
    let pieces = stream::try_unfold(reading, Reading::next);
    let name = format!("attachment; filename=\"job-{job}-log.txt\"");
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}
