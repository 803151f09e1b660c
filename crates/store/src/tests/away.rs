//! A database that goes away is told from one that refuses.

use sea_orm::ConnectionTrait;

use crate::{Store, StoreError, StoreResult, testing};

async fn ask(store: &Store, statement: &str) -> StoreResult<()> {
    store.db.execute_unprepared(statement).await?;
    Ok(())
}

#[tokio::test]
async fn an_error_says_whether_the_database_was_away() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let refused = ask(store, "SELECT nonsense FROM nowhere").await;
        assert!(!refused.unwrap_err().is_away());
        assert!(!StoreError::NotFound("job").is_away());
        assert!(!StoreError::FenceLost.is_away());
        if store.is_sqlite() {
            continue; // is never away
        }
        let own = "SELECT pg_terminate_backend(pg_backend_pid())";
        let cut = ask(store, own).await.unwrap_err();
        assert!(cut.is_away(), "{cut}");

        // In the middle of a transaction, whose connection is then gone.
        let tx = store.write().await.unwrap();
        testing::cut_connections(store).await;
        let lost = tx.execute_unprepared("SELECT 1").await.unwrap_err();
        assert!(StoreError::from(lost).is_away());
        let lost = tx.commit().await.unwrap_err();
        assert!(lost.is_away(), "{lost}");
        ask(store, "SELECT 1").await.unwrap();
    }
}
