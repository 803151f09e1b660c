//! What tests of the caretaker need: a job that nothing can be done for, and everything counted that
//! is to be counted again.

use std::time::Duration;

use sea_orm::ConnectionTrait;

use crate::Store;
use crate::recount::Subject;

/// From now on no change of this job's row succeeds.
///
/// # Panics
/// Where that cannot be arranged.
pub async fn spoil_job(store: &Store, id: i64) {
    let statements = match store.is_sqlite() {
        true => vec![format!(
            "CREATE TRIGGER spoilt BEFORE UPDATE ON job WHEN NEW.id = {id} \
             BEGIN SELECT RAISE(ABORT, 'spoilt'); END"
        )],
        false => vec![
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'spoilt'; END $$"
                .to_owned(),
            format!(
                "CREATE TRIGGER spoilt BEFORE UPDATE ON job FOR EACH ROW WHEN (NEW.id = {id}) \
                 EXECUTE FUNCTION spoil()"
            ),
        ],
    };
    for statement in statements {
        let made = store.db.execute_unprepared(&statement).await;
        made.expect("writable");
    }
}

/// It can be changed again.
///
/// # Panics
/// Where it was not spoilt.
pub async fn mend_job(store: &Store) {
    let statement = match store.is_sqlite() {
        true => "DROP TRIGGER spoilt",
        false => "DROP TRIGGER spoilt ON job",
    };
    let gone = store.db.execute_unprepared(statement).await;
    gone.expect("writable");
}

/// Waits until everything is counted that is to be counted again, by the processes that run.
///
/// # Panics
/// Where it is not within half a minute.
pub async fn until_counted(store: &Store) {
    for _ in 0..600 {
        let mut due = false;
        for subject in Subject::ALL {
            let next = store.next_recount(subject, 0).await;
            due |= next.expect("readable").is_some();
        }
        if !due {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody counts again what is to be counted");
}

/// Counts everything that is to be counted again; how many pages that were.
///
/// # Panics
/// Where it cannot be counted.
pub async fn recount_all(store: &Store) -> usize {
    let mut pages = 0;
    for subject in Subject::ALL {
        while let Some(due) = store.next_recount(subject, 0).await.expect("readable") {
            store.recount_page(due).await.expect("writable");
            pages += 1;
        }
    }
    pages
}
