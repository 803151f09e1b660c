//! Files of rows that were deleted, removed after the commit. The idea: here goes at once what is a
//! person's own or named by few numbers; the thumbnails and crops of a whole station, which may be
//! millions, are left to the sweep of files (`jobs::sweep`), as is what fails here, and are shown to
//! nobody meanwhile.

use domain::storage::{UPLOADS, crop_key};
use files::FilesError;
use futures_util::{StreamExt, stream};

use super::thumbnail;
use crate::AppState;

/// Files that are deleted at once.
const AT_ONCE: usize = 8;
/// Files that are listed at once.
const PAGE: usize = 1000;

/// Removes what was made of a capture and of the detections on it, and its own file where that was
/// an upload.
pub async fn capture(state: &AppState, capture: i64, detections: Vec<i64>, upload: Option<String>) {
    let crops = detections.into_iter().map(crop_key);
    let keys = thumbnail::keys(capture).chain(crops).chain(upload);
    these(state, keys.collect()).await;
}

/// Removes the uploads of a station that is deleted: those that no row names any more, for one that
/// was imported may stand below another station's number.
pub async fn uploads_of(state: &AppState, station: i64) {
    let folder = format!("{UPLOADS}/{station}");
    let mut listing = match state.files.walk(&folder, None).await {
        Ok(listing) => listing,
        Err(FilesError::NotFound(_)) => return,
        Err(error) => return tracing::warn!(station, %error, "uploads are not deleted"),
    };
    loop {
        match listing.next(PAGE).await {
            Ok(Some(page)) => {
                let mut keys: Vec<String> = page.into_iter().map(|file| file.key).collect();
                let named: Vec<&str> = keys.iter().map(String::as_str).collect();
                match state.store.known_uploads(&named).await {
                    Ok(known) => keys.retain(|key| !known.contains(key)),
                    Err(error) => {
                        return tracing::warn!(station, %error, "uploads are not deleted");
                    }
                }
                these(state, keys).await;
            }
            Ok(None) => return,
            Err(error) => return tracing::warn!(station, %error, "uploads are not deleted"),
        }
    }
}

/// Removes these files; one that is not there is no error.
pub async fn these(state: &AppState, keys: Vec<String>) {
    let files = state.files.clone();
    let deleting = stream::iter(keys).for_each_concurrent(AT_ONCE, move |key| {
        let files = files.clone();
        async move {
            if let Err(error) = files.delete(&key).await {
                tracing::warn!(%key, %error, "a file is not deleted");
            }
        }
    });
    deleting.await;
}
