//! Transactions that cross another one. PostgreSQL ends such a circle by taking one of them back, as
//! a whole, and says so. The idea: nothing of it is left then, so it is simply done again, and that
//! happens here and nowhere else. SQLite has one writer at a time, whose way nobody crosses.

use std::time::Duration;

use super::StoreResult;

/// How often a transaction is done at most.
pub(crate) const TRIES: u32 = 4;

/// Does one transaction, all of it from [`Store::write`](super::Store::write) to its commit, and
/// does it again where the database took it back because it crossed another one. What `work` changes
/// outside of the database it changes after its commit, or in what it returns. Where it is crossed
/// each time, the error says to ask again
/// ([`StoreError::is_away`](super::StoreError::is_away)).
pub(crate) async fn again<T, F>(mut work: impl FnMut() -> F) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>>,
{
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if error.is_crossed() && tries < TRIES => {
                tracing::info!(%error, tries, "a transaction crossed another one: once more");
            }
            done => return done,
        }
        tokio::time::sleep(pause(tries)).await;
        tries += 1;
    }
}

/// Longer each time, and not the same for those who crossed each other.
fn pause(tries: u32) -> Duration {
    let chance = u64::from(rand::random::<u8>() % 20);
    tries * Duration::from_millis(10 + chance)
}
