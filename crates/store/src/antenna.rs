//! Bringing an installation of Antenna over, table by table, with the ids it has. The idea: each
//! table is one entry of one list, read in pages along its id; the place of each stands in the
//! transaction that writes its rows, so an import that is cut off goes on and doubles nothing, and
//! whatever does not fit is counted with its reason. The source is only read.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, EntityTrait};

use crate::connection::{Store, StoreError, StoreResult, unreachable, without_password};
use crate::entity::transfer;
use crate::transfer::{count, is_empty};

mod captures;
mod counted;
mod exports;
mod jobs;
mod left;
mod line;
mod link;
mod logs;
mod pages;
mod people;
mod pipelines;
mod places;
mod projects;
mod results;
mod source;
mod step;
mod taxa;

use step::{Bring, Step};

/// Tables in the order in which rows find what they point to.
const TABLES: &[&dyn Bring] = &[
    &people::USERS,
    &people::TOKENS,
    &pipelines::MAPS,
    &pipelines::ALGORITHMS,
    &pipelines::PIPELINES,
    &pipelines::PARTS,
    &projects::PROJECTS,
    &projects::MEMBERS,
    &projects::GROUPS,
    &pipelines::OF_PROJECTS,
    &pipelines::SERVICES,
    &pipelines::OF_SERVICES,
    &pipelines::USERS_OF_SERVICES,
    &places::SITES,
    &places::DEVICES,
    &places::SOURCES,
    &places::STATIONS,
    &captures::SESSIONS,
    &captures::CAPTURES,
    &captures::UPLOADS,
    &captures::SETS,
    &captures::MEMBERS,
    &taxa::TAXA,
    &taxa::TAGS,
    &taxa::LISTS,
    &taxa::LISTED,
    &taxa::LISTS_OF_PROJECTS,
    &taxa::OF_PROJECTS,
    &taxa::TAGGED,
    &taxa::INCLUDED,
    &taxa::EXCLUDED,
    &results::OCCURRENCES,
    &results::DETECTIONS,
    &results::CLASSIFICATIONS,
    &results::IDENTIFICATIONS,
    &exports::EXPORTS,
    &jobs::JOBS,
    &logs::LINES,
    &logs::OLD_LINES,
    &logs::STOPPED,
    &pages::PAGES,
];

/// Under which name it stands that an import is under way.
const STEP: &str = "antenna";

/// What only whoever starts the import can tell.
pub struct Terms {
    /// What a clock of the stations shows at an instant: Antenna keeps instants of its own zone.
    pub local: Box<dyn Fn(DateTime<Utc>) -> NaiveDateTime + Send + Sync>,
    /// The instant at which they show this.
    pub instant: Box<dyn Fn(NaiveDateTime) -> DateTime<Utc> + Send + Sync>,
    /// Seals the keys of a bucket.
    pub seal: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// What became of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// Its name in Antenna.
    pub table: &'static str,
    /// The table of Hawkmoth.
    pub into: &'static str,
    /// Rows there now.
    pub there: i64,
    /// Rows read so far.
    pub seen: i64,
    /// Rows written from them.
    pub written: i64,
    /// Rows of Hawkmoth's table.
    pub here: i64,
}

/// Something that did not come over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The table of Antenna.
    pub table: String,
    /// What and why.
    pub reason: String,
    /// How many rows.
    pub count: i64,
    /// The first of them.
    pub ids: Vec<i64>,
}

/// The end of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Tables.
    pub tables: Vec<Brought>,
    /// What did not come over.
    pub lost: Vec<Lost>,
}

/// Hears how far it is: what is brought, and rows so far.
pub type Heard<'a> = &'a mut (dyn FnMut(&str, i64) + Send);

impl Store {
    /// Brings the installation of Antenna at this address over. A further call goes on where an
    /// earlier one was cut off, and later takes over what has been added since.
    ///
    /// # Errors
    /// [`StoreError::Address`] where there is no database of Antenna's; [`StoreError::Conflict`]
    /// where this one has rows of its own; errors of the databases.
    pub async fn import_antenna(
        &self,
        url: &str,
        terms: Terms,
        heard: Heard<'_>,
    ) -> StoreResult<Report> {
        let source = open(url).await?;
        let name = without_password(url);
        self.fit_for(&name).await?;
        self.under_way(&name, true).await?;
        let roles = projects::roles(&source).await?;
        let world = link::World {
            terms,
            roles,
            source: name,
        };
        for table in TABLES {
            step::run(self, &source, *table, &world, heard).await?;
        }
        counted::count_again(self, &world.source, heard).await?;
        self.under_way(&world.source, false).await?;
        let report = self.report(&source).await?;
        source.close().await.ok();
        Ok(report)
    }

    /// Says in the database that rows are still to come, or that all are there.
    async fn under_way(&self, source: &str, open: bool) -> StoreResult<()> {
        let mut place = step::place(self, STEP, source).await?;
        place.done = !open;
        let tx = self.write().await?;
        step::keep(&tx, &place).await?;
        tx.commit().await
    }

    /// Refuses a database with rows that did not come from there.
    async fn fit_for(&self, source: &str) -> StoreResult<()> {
        let steps = transfer::Entity::find().all(&self.db).await?;
        if let Some(other) = steps.iter().find(|step| step.source != source) {
            return Err(StoreError::Conflict(format!(
                "this database was filled from {}: import {source} into a new one",
                other.source
            )));
        }
        if !steps.is_empty() {
            return Ok(());
        }
        for table in TABLES {
            if !is_empty(&self.db, table.about().into).await? {
                return Err(StoreError::Conflict(format!(
                    "this database is not empty (table {}): ids stay the same, so Antenna can \
                     only be imported into a new one",
                    table.about().into
                )));
            }
        }
        Ok(())
    }

    async fn report(&self, source: &DatabaseConnection) -> StoreResult<Report> {
        let steps = transfer::Entity::find().all(&self.db).await?;
        let steps: BTreeMap<String, Step> =
            steps.into_iter().map(|s| (s.step.clone(), s)).collect();
        let mut report = Report::default();
        for table in TABLES {
            let about = table.about();
            let Some(step) = steps.get(&about.step()) else {
                continue;
            };
            if about.counted {
                report.tables.push(Brought {
                    table: about.name,
                    into: about.into,
                    there: source::count(source, about).await?,
                    seen: step.seen,
                    written: step.written,
                    here: count(&self.db, about.into).await?,
                });
            }
            report.lost.extend(step::lost(about.name, step));
        }
        report.lost.extend(left::shifted(self).await?);
        report.lost.extend(left::behind(source).await?);
        Ok(report)
    }
}

async fn open(url: &str) -> StoreResult<DatabaseConnection> {
    if !url.starts_with("postgres:") && !url.starts_with("postgresql:") {
        return Err(StoreError::Address(format!(
            "Antenna's database is a PostgreSQL one, postgres://user@host/name, not {:?}",
            without_password(url)
        )));
    }
    let mut options = ConnectOptions::new(url);
    // Whatever happens, nothing is written there.
    options
        .max_connections(2)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|o| {
            o.options([("default_transaction_read_only", "on"), ("TimeZone", "UTC")])
        });
    let source = Database::connect(options).await;
    let source = source.map_err(|error| unreachable(url, &error))?;
    if !source::has(&source, "main_sourceimage").await? || !source::has(&source, "jobs_job").await?
    {
        return Err(StoreError::Address(format!(
            "{} is no database of Antenna's: it has no table main_sourceimage or jobs_job",
            without_password(url)
        )));
    }
    Ok(source)
}
