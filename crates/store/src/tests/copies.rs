//! Copies between databases: every table, every column, back and forth; cut off and gone on with;
//! refused where the target is not fit.

use domain::schedule::Rhythm;
use sea_orm::ConnectionTrait;

use super::jobs::world::World;
use crate::copy::list::TABLES;
use crate::testing::{Fresh, fresh, fresh_sqlite};
use crate::transfer::highest;
use crate::{Store, StoreError};

/// More than a page.
const ROWS: i64 = 1050;

async fn filled() -> Fresh {
    let fresh = fresh_sqlite().await;
    for table in TABLES {
        table.fill(&fresh.store, ROWS).await;
    }
    // Numbers are never given twice, also not those of rows that are gone.
    let gone = "DELETE FROM detection WHERE id = 1050";
    fresh.store.db.execute_unprepared(gone).await.unwrap();
    fresh
}

async fn copied(from: &Store, to: &Store) {
    let done = from.copy_to(to, "here", &mut |_, _| {}).await.unwrap();
    assert_eq!(done.len(), TABLES.len());
    for table in done {
        assert_eq!(table.source, table.target, "{}", table.table);
        assert!(table.is_same(), "{} was written to", table.table);
        assert!(table.target > 0, "{} was not copied", table.table);
    }
    to.check_whole().await.unwrap_err();
    to.end_copy().await.unwrap();
    to.check_whole().await.unwrap();
}

async fn assert_equal(one: &Store, other: &Store) {
    for table in TABLES {
        let (left, right) = (table.rows(one).await, table.rows(other).await);
        assert_eq!(left.len(), right.len(), "{}", table.name());
        for (left, right) in left.iter().zip(&right) {
            assert_eq!(left, right, "{}", table.name());
        }
        if table.numbered() {
            let numbers = (
                highest(&one.db, table.name()).await.unwrap(),
                highest(&other.db, table.name()).await.unwrap(),
            );
            assert_eq!(numbers.0, numbers.1, "{}", table.name());
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_there_and_back() {
    let source = filled().await;
    for there in fresh().await {
        copied(&source.store, &there.store).await;
        assert_equal(&source.store, &there.store).await;
        let back = fresh_sqlite().await;
        copied(&there.store, &back.store).await;
        assert_equal(&source.store, &back.store).await;
    }
}

#[tokio::test]
async fn a_copy_that_was_cut_off_goes_on() {
    let source = filled().await;
    for there in fresh().await {
        let (from, to) = (source.store.clone(), there.store.clone());
        let cut = tokio::spawn(async move {
            let heard = &mut |table: &str, _: u64| assert_ne!(table, "classification", "cut off");
            from.copy_to(&to, "here", heard).await.map(|_| ())
        });
        assert!(cut.await.unwrap_err().is_panic());
        let open = there.store.check_whole().await.unwrap_err().to_string();
        assert!(open.contains("`hawkmoth copy` again"), "{open}");
        let other = source
            .store
            .copy_to(&there.store, "elsewhere", &mut |_, _| {})
            .await;
        let sentence = other.unwrap_err().to_string();
        assert!(
            sentence.contains("the beginning of a copy of here"),
            "{sentence}"
        );
        copied(&source.store, &there.store).await;
        assert_equal(&source.store, &there.store).await;
    }
}

/// Does something to a database on a thread of its own, while a copy of it is under way.
fn meanwhile(url: &str, sql: &str) {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let store = Store::open(&url).await.unwrap();
            store.db.execute_unprepared(&sql).await.unwrap();
            store.close().await;
        });
    };
    std::thread::spawn(work).join().unwrap();
}

#[tokio::test]
async fn what_is_written_to_the_source_meanwhile_is_told() {
    let first = fresh_sqlite().await;
    for table in TABLES {
        table.fill(&first.store, 10).await;
    }
    for source in fresh().await {
        copied(&first.store, &source.store).await;
        for (written, sql) in [
            (
                "duty",
                "INSERT INTO duty (name, due_at, position) VALUES ('late', 0, 0)",
            ),
            ("job_log", "DELETE FROM job_log WHERE id = 7"),
            (
                "project",
                "UPDATE project SET updated_at = '2999-01-01 00:00:00+00:00' WHERE id = 7",
            ),
        ] {
            let target = fresh_sqlite().await;
            let mut once = Some(sql);
            let done = source
                .store
                .copy_to(&target.store, "here", &mut |table, _| {
                    if table == "classification"
                        && let Some(sql) = once.take()
                    {
                        meanwhile(&source.url, sql);
                    }
                })
                .await;
            let differing = done.unwrap().into_iter().filter(|table| !table.is_same());
            let differing: Vec<&str> = differing.map(|table| table.table).collect();
            assert_eq!(differing, [written]);
        }
    }
}

#[tokio::test]
async fn who_works_on_a_database_is_seen_in_it() {
    for fresh in fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        assert_eq!(store.worked_on().await.unwrap(), None);
        let (_, fence) = world.claimed(world.new_job()).await;
        let runs = store.worked_on().await.unwrap();
        assert_eq!(runs, Some("a process runs jobs on it"));
        store.hand_back(&fence).await.unwrap();
        assert_eq!(store.worked_on().await.unwrap(), None);
        store.note_upkeep("minutely", "* * * * *").await.unwrap();
        assert_eq!(store.worked_on().await.unwrap(), None, "nobody did it yet");
        let due = store.due_upkeep().await.unwrap();
        let rhythm = Rhythm::read("* * * * *", "UTC").unwrap();
        assert!(store.take_upkeep(&due[0], &rhythm).await.unwrap());
        let idle = store.worked_on().await.unwrap();
        assert!(idle.is_some_and(|words| words.contains("within the last minute")));
    }
}

#[tokio::test]
async fn a_target_that_is_not_fit_is_refused() {
    let source = filled().await;
    for there in fresh().await {
        let refused = |error: StoreError| error.to_string();
        there
            .store
            .create_project(Default::default())
            .await
            .unwrap();
        let error = source
            .store
            .copy_to(&there.store, "here", &mut |_, _| {})
            .await;
        let sentence = refused(error.unwrap_err());
        assert!(sentence.contains("table project holds rows"), "{sentence}");
        there.store.check_whole().await.unwrap();
        let itself = Store::open(&there.url).await.unwrap();
        let error = there.store.copy_to(&itself, "here", &mut |_, _| {}).await;
        let sentence = refused(error.unwrap_err());
        assert!(sentence.contains("the same database"), "{sentence}");
        there.store.check_whole().await.unwrap();
    }
    let older = fresh_sqlite().await;
    let newest = "DELETE FROM seaql_migrations WHERE version LIKE 'm0151%'";
    older.store.db.execute_unprepared(newest).await.unwrap();
    let target = fresh_sqlite().await;
    let error = older
        .store
        .copy_to(&target.store, "here", &mut |_, _| {})
        .await;
    let sentence = error.unwrap_err().to_string();
    assert!(sentence.contains("hawkmoth migrate"), "{sentence}");
}

/// Words of the schema: one column of each row.
async fn words(store: &Store, sql: &str) -> Vec<String> {
    let statement = sea_orm::Statement::from_string(store.db.get_database_backend(), sql);
    let rows = store.db.query_all_raw(statement).await.unwrap();
    let word = |row: &sea_orm::QueryResult| row.try_get::<String>("", "word").unwrap();
    rows.iter().map(word).collect()
}

#[tokio::test]
async fn the_list_is_what_the_migrations_make() {
    for fresh in fresh().await {
        let store = &fresh.store;
        let mut made = words(store, match store.is_sqlite() {
            true => "SELECT name AS word FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            false => "SELECT table_name::text AS word FROM information_schema.tables WHERE table_schema = current_schema()",
        })
        .await;
        made.retain(|name| name != "seaql_migrations" && name != "transfer");
        made.sort();
        let mut listed: Vec<&str> = TABLES.iter().map(|table| table.name()).collect();
        listed.sort_unstable();
        assert_eq!(made, listed);
        let mut found = 0;
        for (at, table) in TABLES.iter().enumerate() {
            columns_fit(store, table.name(), table.columns()).await;
            let earlier: Vec<&str> = TABLES[..at].iter().map(|table| table.name()).collect();
            let own = table.own();
            for link in links(store, table.name()).await {
                found += 1;
                let (column, named) = link.split_once(' ').unwrap();
                match named == table.name() {
                    true => assert!(own.contains(&column.to_owned()), "{link} of {named}"),
                    false => assert!(earlier.contains(&named), "{}: {link}", table.name()),
                }
            }
        }
        assert!(found > 60, "only {found} foreign keys were found");
    }
}

async fn columns_fit(store: &Store, table: &str, mut listed: Vec<String>) {
    let sql = match store.is_sqlite() {
        true => format!("SELECT name AS word FROM pragma_table_info('{table}')"),
        false => format!(
            "SELECT column_name::text AS word FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
    };
    let mut made = words(store, &sql).await;
    made.sort();
    listed.sort();
    assert_eq!(made, listed, "{table}");
}

/// Foreign keys: column and table.
async fn links(store: &Store, table: &str) -> Vec<String> {
    let sql = match store.is_sqlite() {
        true => format!(
            "SELECT \"from\" || ' ' || \"table\" AS word FROM pragma_foreign_key_list('{table}')"
        ),
        false => format!(
            "SELECT a.attname || ' ' || f.relname AS word FROM pg_constraint c \
             JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid \
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1] \
             WHERE c.contype = 'f' AND t.relname = '{table}'"
        ),
    };
    words(store, &sql).await
}
