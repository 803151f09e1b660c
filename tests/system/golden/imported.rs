//! The second way to the recorded world: an installation of Antenna's as it was at an instant, and
//! `import antenna` from it. The idea: the rows are those of the tables that the recording left,
//! made by then, and a later instant adds what was made since, as an import that is given again.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use chrono::{DateTime, Utc};
use store::Store;
use store::antenna::Report;
use store::testing::foreign::Foreign;

use super::replay::Replay;
use super::sheet::{self, Line};
use super::{bucket, earlier, service};
use crate::antenna::sealing;
use crate::antenna::tables::{Tables, fill};
use crate::sync::s3::KEYS;

/// An Antenna whose rows come as time goes by.
pub struct Antenna {
    foreign: Foreign,
    tables: Tables,
    lines: HashMap<String, Vec<Line>>,
    /// Rows that are there: table, and what they are known by.
    given: HashSet<(String, String)>,
    /// What the last import told.
    pub report: Report,
}

/// A column, what it held in the recorded world, and what holds in its place.
type Now<'a> = (&'a str, &'a str, &'a str);

/// By what a row is known.
fn known_by(line: &Line) -> &String {
    line.known("id").or(line.known("key")).unwrap()
}

impl Antenna {
    /// An empty one, where a server of PostgreSQL is named.
    pub async fn new(root: &Path) -> Option<Antenna> {
        let foreign = Foreign::make().await?;
        let folder = root.join("antenna-db");
        let tables = Tables::of(&folder);
        foreign.run(&tables.made()).await;
        let full = tables
            .names()
            .filter(|t| folder.join(format!("{t}.csv")).is_file());
        let lines = full.map(|table| (table.clone(), sheet::read(root, table)));
        Some(Antenna {
            lines: lines.collect(),
            foreign,
            tables,
            given: HashSet::new(),
            report: Report::default(),
        })
    }

    /// Which rows there were at an instant, less these jobs: those made by then that point only
    /// to such rows.
    fn early(
        &self,
        instant: DateTime<Utc>,
        without: &HashSet<i64>,
    ) -> HashMap<&str, HashSet<&String>> {
        let mut early: HashMap<&str, HashSet<&String>> = HashMap::new();
        for (table, lines) in &self.lines {
            let by_then = lines.iter().filter(|line| {
                let job = line.is_of_job(table);
                line.made().is_none_or(|made| made <= instant)
                    && job.is_none_or(|id| !without.contains(&id))
            });
            early.insert(table, by_then.map(known_by).collect());
        }
        loop {
            let mut gone = Vec::new();
            for (table, lines) in &self.lines {
                let keys = self.tables.keys(table).iter();
                let keys: Vec<_> = keys.filter(|key| !key.may_be_empty).collect();
                for line in lines
                    .iter()
                    .filter(|line| early[table.as_str()].contains(known_by(line)))
                {
                    let there = |key: &&crate::antenna::tables::Key| {
                        names_one(line, &key.column, early.get(key.of.as_str()))
                    };
                    if !keys.iter().all(there) {
                        gone.push((table.as_str(), known_by(line)));
                    }
                }
            }
            if gone.is_empty() {
                return early;
            }
            for (table, id) in gone {
                early.get_mut(table).unwrap().remove(id);
            }
        }
    }

    /// Adds the rows that were made by this instant, with texts as they are now.
    async fn reach(&mut self, instant: DateTime<Utc>, without: &HashSet<i64>, now: &[Now<'_>]) {
        let early = self.early(instant, without);
        let mut added = Vec::new();
        for (table, lines) in &self.lines {
            let mut rows = Vec::new();
            for line in lines {
                let id = known_by(line);
                if !early[table.as_str()].contains(id)
                    || self.given.contains(&(table.clone(), id.clone()))
                {
                    continue;
                }
                added.push((table.clone(), id.clone()));
                let mut line = line.clone();
                earlier::restore(table, &mut line, instant);
                for key in self.tables.keys(table) {
                    if !names_one(&line, &key.column, early.get(key.of.as_str())) {
                        line.clear(&key.column);
                    }
                }
                for (column, old, new) in now {
                    if let Some(is) = line.known(column).map(|was| was.replace(old, new)) {
                        line.set(column, &is);
                    }
                }
                rows.push(line.record());
            }
            fill(&self.foreign, &self.tables, table, &rows).await;
        }
        self.given.extend(added);
    }

    async fn import(&mut self, store: &Store, vault: files::Vault) {
        let terms = sealing(move |key| vault.close(key));
        let mut heard = |_: &str, _: i64| {};
        let report = store.import_antenna(&self.foreign.url, terms, &mut heard);
        self.report = report.await.unwrap();
        for table in &self.report.tables {
            assert_eq!(
                table.there, table.seen,
                "{} was not read whole",
                table.table
            );
        }
    }
}

/// Whether the column names a row that is there, or none.
fn names_one(line: &Line, column: &str, there: Option<&HashSet<&String>>) -> bool {
    let named = line.some_text(column);
    named.is_none_or(|id| there.is_some_and(|there| there.contains(&id)))
}

impl Replay<'_> {
    /// Brings Antenna forward to an instant and imports it, once more where it was imported before.
    pub async fn import(&self, antenna: &mut Antenna, instant: DateTime<Utc>, jobs: &HashSet<i64>) {
        let now = [
            ("endpoint_url", service::ADDRESS, &*self.service.address),
            ("endpoint_url", bucket::ADDRESS, &*self.bucket.address),
            ("access_key", bucket::KEY, KEYS.0),
            ("secret_key", bucket::KEY, KEYS.1),
        ];
        antenna.reach(instant, jobs, &now).await;
        antenna
            .import(self.store, self.app.tools.links.vault())
            .await;
    }
}
