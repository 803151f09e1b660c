//! Fresh databases for tests, of this crate and of those above it: one SQLite file each and, where
//! `HAWKMOTH_TEST_DATABASE_URL` names a PostgreSQL server, one new database there too. The idea:
//! a test runs over what [`fresh`] returns and so holds on both; what it made goes when it ends.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that has no database must stop

pub mod bare;
mod care;
mod cut;
pub mod foreign;
pub mod large;
pub mod plan;
pub mod rows;
mod skip;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, Database, EntityTrait, QueryFilter};
use sea_orm_migration::MigratorTrait;

use crate::Store;
use crate::connection::StoreResult;
use crate::entity::{schedule, webhook_delivery};
use crate::migration::Migrator;

pub use care::{mend_job, recount_all, spoil_job, until_counted};
pub use cut::{cut_connections, cut_listeners};
pub use skip::{REQUIRE, left_out};

/// The variable that names a PostgreSQL database from which new ones may be made.
pub const VARIABLE: &str = "HAWKMOTH_TEST_DATABASE_URL";

/// The variable that names a NATS server with JetStream.
pub const NATS: &str = "HAWKMOTH_TEST_NATS_URL";

/// An empty database with the present schema; dropped, it is gone. Keep it as long as its store.
#[derive(Debug)]
pub struct Fresh {
    /// The open database.
    pub store: Store,
    /// Its address, for programs that open it themselves.
    pub url: String,
    /// Whether tasks of pull jobs are to lie in NATS here, at the address in [`NATS`].
    pub streams: bool,
    statements: Arc<AtomicU64>,
    _cleanup: Cleanup,
    _template: Arc<Template>,
}

impl Fresh {
    /// How many statements the store has sent to its database so far.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }
}

/// One database of each kind that can be had here: SQLite always, PostgreSQL where [`VARIABLE`]
/// is set.
///
/// # Panics
/// Where a database cannot be made.
pub async fn fresh() -> Vec<Fresh> {
    let mut all = vec![fresh_sqlite().await];
    match std::env::var(VARIABLE) {
        Ok(server) if !server.is_empty() => all.push(fresh_postgres(&server).await),
        _ => say_what_is_left_out(),
    }
    all
}

/// The databases of [`fresh`] and, where [`NATS`] is set too, one more of the last kind whose
/// tasks are to lie in the stream.
///
/// # Panics
/// Where a database cannot be made.
pub async fn grounds() -> Vec<Fresh> {
    let mut all = fresh().await;
    if nats().is_none() {
        return all;
    }
    let mut ground = match std::env::var(VARIABLE) {
        Ok(server) if !server.is_empty() => fresh_postgres(&server).await,
        _ => fresh_sqlite().await,
    };
    ground.streams = true;
    all.push(ground);
    all
}

/// The NATS server of the tests, where there is one.
pub fn nats() -> Option<String> {
    let url = std::env::var(NATS).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        left_out(&format!("{NATS} is not set: what needs NATS is LEFT OUT"));
    }
    url
}

/// A SQLite database in a file of its own.
///
/// # Panics
/// Where it cannot be made.
pub async fn fresh_sqlite() -> Fresh {
    static TEMPLATE: Kept = Kept::const_new(Weak::new());
    let template = template(&TEMPLATE, || async {
        let made = Cleanup::File(new_file());
        migrate(&made.url()).await;
        made
    })
    .await;
    let file = new_file();
    if let Cleanup::File(from) = &template.0 {
        std::fs::copy(from, &file).expect("can be copied");
    }
    opened(Cleanup::File(file), template).await
}

/// A database in which nothing is, not even a schema; dropped, it is gone.
#[derive(Debug)]
pub struct Blank {
    /// Its address.
    pub url: String,
    _cleanup: Cleanup,
}

/// One blank database of each kind that can be had here, as [`fresh`].
///
/// # Panics
/// Where a database cannot be made.
pub async fn blank() -> Vec<Blank> {
    let blank = |made: Cleanup| Blank {
        url: made.url(),
        _cleanup: made,
    };
    let mut all = vec![blank(Cleanup::File(new_file()))];
    match std::env::var(VARIABLE) {
        Ok(server) if !server.is_empty() => all.push(blank(make_postgres(&server, None).await)),
        _ => say_what_is_left_out(),
    }
    all
}

/// The same with the schema of a program that did not know the last change yet.
///
/// # Panics
/// Where a database cannot be made.
pub async fn behind() -> Vec<Blank> {
    let all = blank().await;
    for blank in &all {
        let store = Store::open(&blank.url).await.expect("opens");
        let before = u32::try_from(Migrator::migrations().len() - 1).expect("a few");
        let made = Migrator::up(&store.db, Some(before)).await;
        made.expect("can be made");
        store.close().await;
    }
    all
}

/// Makes a duty due now.
///
/// # Panics
/// Where it cannot be written.
pub async fn duty_due(store: &Store, name: &str) {
    let due = format!("UPDATE duty SET due_at = 0 WHERE name = '{name}'");
    store.db.execute_unprepared(&due).await.expect("writable");
}

/// Makes a database as old as can be.
///
/// # Panics
/// Where it cannot be written.
pub async fn make_old(store: &Store) {
    let old = "UPDATE seaql_migrations SET applied_at = 0";
    store.db.execute_unprepared(old).await.expect("writable");
}

/// Lets a piece of upkeep rest for as long as a test takes.
///
/// # Panics
/// Where it cannot be written.
pub async fn upkeep_rests(store: &Store, key: &str) {
    let later = crate::now() + chrono::Duration::days(365);
    let rest = schedule::Entity::update_many()
        .col_expr(schedule::Column::NextAt, Expr::value(Some(later)))
        .filter(schedule::Column::Upkeep.eq(key));
    rest.exec(&store.db).await.expect("writable");
}

/// Makes all deliveries that wait due now.
///
/// # Panics
/// Where it cannot be written.
pub async fn deliveries_due(store: &Store) {
    let due = webhook_delivery::Entity::update_many()
        .col_expr(
            webhook_delivery::Column::NextAt,
            Expr::value(Some(crate::now())),
        )
        .filter(webhook_delivery::Column::NextAt.is_not_null());
    due.exec(&store.db).await.expect("writable");
}

/// Makes a schedule, or a piece of upkeep, due since so long ago.
///
/// # Panics
/// Where it cannot be written.
pub async fn schedule_due(store: &Store, id: i64, since: chrono::Duration) {
    let due = schedule::Entity::update_many()
        .col_expr(
            schedule::Column::NextAt,
            Expr::value(Some(crate::now() - since)),
        )
        .filter(schedule::Column::Id.eq(id));
    due.exec(&store.db).await.expect("writable");
}

/// Makes a database look as if a newer program had changed its schema.
///
/// # Panics
/// Where it cannot be written.
pub async fn make_newer(store: &Store) {
    let row = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 1)";
    store.db.execute_unprepared(row).await.expect("writable");
}

/// Makes a database look as if the last change of its schema had not been made yet.
///
/// # Panics
/// Where it cannot be written.
pub async fn make_older(store: &Store) {
    let all = Migrator::migrations();
    let last = all.last().expect("a few").name();
    let row = format!("DELETE FROM seaql_migrations WHERE version = '{last}'");
    store.db.execute_unprepared(&row).await.expect("writable");
}

/// Makes a taxon, as a classifier's label would.
///
/// # Panics
/// Where it cannot be written.
pub async fn taxon(store: &Store, name: &str) -> i64 {
    let tx = store.write().await.expect("writable");
    let wanted = [(name.to_owned(), "SPECIES".to_owned())];
    let made = crate::taxon::find_or_make(&tx, &wanted.into_iter().collect()).await;
    let id = made.expect("can be made")[name];
    tx.commit().await.expect("writable");
    id
}

async fn fresh_postgres(server: &str) -> Fresh {
    static TEMPLATE: Kept = Kept::const_new(Weak::new());
    let template = template(&TEMPLATE, || async {
        let made = make_postgres(server, None).await;
        migrate(&made.url()).await;
        made
    })
    .await;
    let made = make_postgres(server, Some(&template)).await;
    opened(made, template).await
}

/// A new database of the server, empty or as the template is.
async fn make_postgres(server: &str, template: Option<&Template>) -> Cleanup {
    let name = new_name();
    let like = match template.map(|template| &template.0) {
        Some(Cleanup::Database { name, .. }) => format!(" TEMPLATE {name}"),
        _ => String::new(),
    };
    let admin = Database::connect(server)
        .await
        .unwrap_or_else(|e| panic!("{VARIABLE} names no database that answers: {e}"));
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name}{like}"))
        .await
        .expect("may make a database");
    // A test's database need not survive a power cut.
    let fast = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    admin
        .execute_unprepared(&fast)
        .await
        .expect("may change it");
    admin.close().await.ok();
    let server = server.to_owned();
    Cleanup::Database { server, name }
}

/// A database with the present schema and nothing in it, which others are copied from: that takes
/// a tenth of the time of making the schema. It lasts as long as any copy of this process.
#[derive(Debug)]
struct Template(Cleanup);

/// Where the template of a kind of database is found while it lasts.
type Kept = tokio::sync::Mutex<Weak<Template>>;

async fn template<F>(kept: &Kept, make: impl FnOnce() -> F) -> Arc<Template>
where
    F: Future<Output = Cleanup>,
{
    let mut kept = kept.lock().await;
    match kept.upgrade() {
        Some(template) => template,
        None => {
            let template = Arc::new(Template(make().await));
            *kept = Arc::downgrade(&template);
            template
        }
    }
}

/// Makes the schema, and leaves: what is connected to cannot be copied.
async fn migrate(url: &str) {
    let store = Store::open(url).await.expect("opens");
    store.migrate().await.expect("migrates");
    store.close().await;
}

/// Makes a database beside the one that this address names, unless it is there; its own address,
/// and whether it was made.
///
/// # Errors
/// Where the server does not answer or does not allow it.
pub async fn beside(server: &str, name: &str) -> StoreResult<(String, bool)> {
    let admin = Database::connect(server).await?;
    let made = admin
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await;
    let there = admin
        .execute_unprepared(&format!("ALTER DATABASE {name} SET search_path TO DEFAULT"))
        .await;
    admin.close().await.ok();
    match (made, there) {
        (Ok(_), _) => Ok((with_database(server, name), true)),
        (_, Ok(_)) => Ok((with_database(server, name), false)),
        (Err(error), _) => Err(error.into()),
    }
}

/// Drops a database that [`beside`] made.
pub fn drop_beside(server: &str, name: &str) {
    drop_database(server.to_owned(), name.to_owned());
}

async fn opened(cleanup: Cleanup, template: Arc<Template>) -> Fresh {
    let url = cleanup.url();
    let mut store = Store::open(&url).await.expect("opens");
    let statements = Arc::new(AtomicU64::new(0));
    store.count_statements(&statements);
    Fresh {
        store,
        url,
        streams: false,
        statements,
        _cleanup: cleanup,
        _template: template,
    }
}

fn new_name() -> String {
    format!("hawkmoth_test_{:016x}", rand::random::<u64>())
}

fn new_file() -> PathBuf {
    std::env::temp_dir().join(format!("{}.db", new_name()))
}

/// The address with another database in it.
fn with_database(server: &str, name: &str) -> String {
    let (address, options) = match server.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (server, String::new()),
    };
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..]
        .find('/')
        .map_or(address.len(), |at| host + at);
    format!("{}/{name}{options}", &address[..end])
}

fn say_what_is_left_out() {
    left_out(&format!(
        "{VARIABLE} is not set: tests of the database run on SQLite ONLY"
    ));
}

/// What must go with the test.
#[derive(Debug)]
enum Cleanup {
    File(PathBuf),
    Database { server: String, name: String },
}

impl Cleanup {
    /// The address of what it is about.
    fn url(&self) -> String {
        match self {
            Cleanup::File(file) => format!("sqlite://{}", file.display()),
            Cleanup::Database { server, name } => with_database(server, name),
        }
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        match self {
            Cleanup::File(file) => {
                for end in ["", "-wal", "-shm"] {
                    let mut path = file.clone().into_os_string();
                    path.push(end);
                    std::fs::remove_file(path).ok();
                }
            }
            Cleanup::Database { server, name } => drop_database(server.clone(), name.clone()),
        }
    }
}

/// A drop cannot wait for a future, and the test's own runtime may be ending: hence a thread with
/// a runtime. It is joined, else the process could end before it.
fn drop_database(server: String, name: String) {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            if let Ok(admin) = Database::connect(server).await {
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                admin.execute_unprepared(&sql).await.ok();
                admin.close().await.ok();
            }
        });
    };
    std::thread::spawn(work).join().ok();
}

#[cfg(test)]
mod tests {
    use super::{fresh, with_database};

    #[test]
    fn the_name_of_the_database_is_exchanged() {
        let cases = [
            ("postgres://root@h/test", "postgres://root@h/new"),
            ("postgres://root@h:5433", "postgres://root@h:5433/new"),
            (
                "postgres://a:b@h/test?sslmode=disable",
                "postgres://a:b@h/new?sslmode=disable",
            ),
        ];
        for (server, url) in cases {
            assert_eq!(with_database(server, "new"), url);
        }
    }

    #[tokio::test]
    async fn is_empty_and_ready_and_gone_afterwards() {
        for fresh in fresh().await {
            fresh.store.check_schema().await.unwrap();
            assert_eq!(
                fresh.store.visible_projects(None).await.unwrap(),
                Some(vec![])
            );
            let file = fresh.url.strip_prefix("sqlite://").map(str::to_owned);
            drop(fresh);
            assert!(file.is_none_or(|f| !std::path::Path::new(&f).exists()));
        }
    }
}
