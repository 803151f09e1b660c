//! Crops of detections, cut ahead of time: a list of work that follows behind the results and never
//! holds one up. The idea: the list is the detections themselves, in the order of their numbers,
//! with one position for all processes; what it misses is cut when somebody first looks at it.

use std::time::{Duration, Instant};

use domain::storage::crop_key;
use files::{Files, Photographs, picture};
use store::StoreResult;
use store::detection::Detection;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Tools;

/// The duty that one process at a time has.
const DUTY: &str = "detection_crops";
/// For how long a process has it before another one may take it over.
const HOLD: Duration = Duration::from_secs(300);
/// Detections of one look.
const PAGE: u64 = 200;
/// After this time the position is written down, wherever in a page it is.
const WRITE: Duration = Duration::from_secs(30);
/// How long the list rests when it is empty, and after each photograph while results come in.
const REST: Duration = Duration::from_secs(5);

/// Cuts crops into the server's own files.
pub struct Cutter {
    tools: Tools,
    /// Where photographs are read, and crops kept.
    photographs: Photographs,
    /// How old a detection must be: results that are still coming in come first.
    lag: chrono::Duration,
}

impl Cutter {
    /// One that leaves detections alone until they are ten seconds old.
    pub fn new(tools: Tools, kept: Files) -> Cutter {
        let lag = chrono::Duration::seconds(10);
        let photographs = Photographs {
            store: tools.store.clone(),
            vault: tools.links.vault(),
            kept,
        };
        Cutter {
            tools,
            photographs,
            lag,
        }
    }

    /// The same, behind the results by this time.
    #[must_use]
    pub fn behind(self, lag: chrono::Duration) -> Cutter {
        Cutter { lag, ..self }
    }

    /// Works on the list until `stop` fires.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let step = async {
                let rest = match self.step().await {
                    Ok(true) => Duration::ZERO,
                    Ok(false) => REST,
                    Err(error) => {
                        tracing::warn!(%error, "crops could not be cut");
                        REST
                    }
                };
                tokio::time::sleep(rest).await;
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = step => {}
            }
        }
    }

    /// Cuts a page of crops; false where there is nothing to do now. What is cut and not yet
    /// written down is found there by the next one.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn step(&self) -> StoreResult<bool> {
        let store = &self.tools.store;
        let Some(turn) = store.take_duty(DUTY, HOLD).await? else {
            return Ok(false);
        };
        let start = Instant::now();
        let before = store::now() - self.lag;
        let page = store.detections_after(turn.position, before, PAGE).await?;
        let busy = store
            .newest_detection()
            .await?
            .is_some_and(|at| at >= before);
        let mut position = turn.position;
        for one in page.chunk_by(|a, b| a.capture_id == b.capture_id) {
            self.cut(one).await?;
            position = one.last().map_or(position, |last| last.id);
            if busy || start.elapsed() > WRITE {
                break;
            }
        }
        let worked = position > turn.position;
        let rest = if busy || !worked {
            REST
        } else {
            Duration::ZERO
        };
        store.end_duty(turn, position, rest).await?;
        Ok(worked && !busy)
    }

    /// Cuts the crops of one photograph that are not there yet. A photograph that cannot be read
    /// is passed over.
    async fn cut(&self, detections: &[Detection]) -> StoreResult<()> {
        let mut wanted = Vec::new();
        for detection in detections {
            let elsewhere = detection.path.as_deref();
            let elsewhere = elsewhere.is_some_and(|path| path.starts_with("http"));
            let key = crop_key(detection.id);
            let edges = [detection.x1, detection.y1, detection.x2, detection.y2];
            let [Some(x1), Some(y1), Some(x2), Some(y2)] = edges else {
                continue;
            };
            if !elsewhere && !self.photographs.kept.exists(&key).await.unwrap_or(false) {
                wanted.push((key, [x1, y1, x2, y2]));
            }
        }
        let capture = detections.first().map_or(0, |first| first.capture_id);
        if wanted.is_empty() {
            return Ok(());
        }
        let rows = self.tools.store.captures_by_id(&[capture]).await?;
        let mut places = self.tools.store.locations(&rows).await?;
        let Some(place) = places.remove(&capture) else {
            return Ok(());
        };
        let done = match self.photographs.read(&place).await {
            Ok(original) => self.keep(original, wanted).await,
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = done {
            tracing::debug!(capture, error, "no crops of this photograph");
        }
        Ok(())
    }

    /// Decodes the photograph once, and keeps one crop after the other: no more than two of them
    /// are in memory beside it.
    async fn keep(
        &self,
        original: bytes::Bytes,
        wanted: Vec<(String, [f64; 4])>,
    ) -> Result<(), String> {
        let (cut, mut made) = mpsc::channel(1);
        let work = tokio::task::spawn_blocking(move || -> Result<(), picture::PictureError> {
            let whole = picture::decode(&original)?;
            for (key, edges) in wanted {
                // A box without pixels has no crop; the others have.
                let crop = picture::cut(&whole, edges).and_then(|crop| picture::encode(&crop));
                if let Ok(crop) = crop
                    && cut.blocking_send((key, crop)).is_err()
                {
                    break;
                }
            }
            Ok(())
        });
        while let Some((key, crop)) = made.recv().await {
            self.photographs
                .kept
                .put(&key, crop)
                .await
                .map_err(|e| e.to_string())?;
        }
        let worked = work.await.map_err(|e| e.to_string())?;
        worked.map_err(|e| e.to_string())
    }
}
