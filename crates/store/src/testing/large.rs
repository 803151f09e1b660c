//! A project as large as wanted, for measuring: nights at many stations, individuals that are seen
//! three times, names with a long tail. The idea: every row follows from its number, so the same
//! size is the same project on both databases, and the database makes the rows by itself.

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter};

use crate::connection::{Store, StoreResult, now};
use crate::entity::{session, station};

/// Captures of one night.
const NIGHT: i64 = 100;
/// Captures of one station, about.
const STATION: i64 = 10_000;
/// Names: one order, families, genera, species.
const FAMILIES: i64 = 20;
const GENERA: i64 = 200;
const SPECIES: i64 = 1000;

/// Tables that get many rows, in the order in which they are filled.
const TABLES: [&str; 8] = [
    "job",
    "session",
    "capture",
    "capture_set_member",
    "occurrence",
    "detection",
    "classification",
    "identification",
];

/// Whose project is filled, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Large {
    /// The project; the database holds no other rows.
    pub project: i64,
    /// Who identified some of the individuals.
    pub user: i64,
    /// The algorithm of all detections and classifications.
    pub algorithm: i64,
    /// A capture set that is to hold all captures.
    pub everything: i64,
    /// A capture set that is to hold each hundredth capture.
    pub sample: i64,
    /// Captures; three times as many detections, and as many occurrences.
    pub captures: i64,
    /// Jobs; those that are there already are the first of them.
    pub jobs: i64,
}

/// The words in which the two databases differ.
struct Words {
    sqlite: bool,
}

impl Words {
    /// A local time, so many minutes after the first evening.
    fn local(&self, minutes: &str) -> String {
        match self.sqlite {
            true => format!(
                "strftime('%Y-%m-%d %H:%M:%S', '2020-01-01 21:00:00', '+' || ({minutes}) || ' minutes')"
            ),
            false => {
                format!("TIMESTAMP '2020-01-01 21:00:00' + ({minutes}) * INTERVAL '1 minute'")
            }
        }
    }

    fn day(&self, days: &str) -> String {
        match self.sqlite {
            true => format!("date('2020-01-01', '+' || ({days}) || ' days')"),
            false => format!("DATE '2020-01-01' + CAST({days} AS INTEGER)"),
        }
    }

    /// An instant, so many seconds after the first row was made.
    fn instant(&self, seconds: &str) -> String {
        match self.sqlite {
            true => format!(
                "strftime('%Y-%m-%dT%H:%M:%S+00:00', '2024-01-01 00:00:00', '+' || ({seconds}) || ' seconds')"
            ),
            false => {
                format!("TIMESTAMPTZ '2024-01-01 00:00:00+00' + ({seconds}) * INTERVAL '1 second'")
            }
        }
    }

    fn empty_list(&self) -> &'static str {
        match self.sqlite {
            true => "'[]'",
            false => "CAST('[]' AS JSONB)",
        }
    }
}

/// Rows numbered from 1.
fn numbers(to: i64) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) \
         UNION ALL SELECT i + 1 FROM n WHERE i < {to}) "
    )
}

/// Jobs that ended in all ways long ago, one after the other.
fn ended_jobs(words: &Words, jobs: i64) -> String {
    let (made, ended) = (words.instant("n.i * 60"), words.instant("n.i * 60 + 1800"));
    let columns = "project_id, kind, params, delay, shuffle, capture_set_id, created_by_id, \
         dispatch_mode, paused, priority, generation, run_no, feed_mode, feed_cursor, \
         sent_cursor, in_stream, fed, kept, receipt_key, claim_no, rescues, stages, errors";
    let copied: Vec<String> = columns
        .split(", ")
        .map(|c| format!("j.{}", c.trim()))
        .collect();
    format!(
        "{}INSERT INTO job (id, name, state, {columns}, created_at, updated_at, scheduled_at, \
         started_at, finished_at) SELECT n.i, 'Job ' || (n.i * 7919 % {jobs}), \
         CASE n.i % 20 WHEN 0 THEN 'FAILURE' WHEN 1 THEN 'REVOKED' ELSE 'SUCCESS' END, \
         {copied}, {made}, {ended}, {made}, {made}, {ended} \
         FROM n CROSS JOIN (SELECT * FROM job ORDER BY id LIMIT 1) j \
         WHERE n.i > (SELECT MAX(id) FROM job)",
        numbers(jobs),
        copied = copied.join(", "),
    )
}

impl Large {
    fn stations(&self) -> i64 {
        (self.captures / STATION).max(4)
    }

    fn sessions(&self) -> i64 {
        self.captures.div_euclid(NIGHT).max(1)
    }

    /// The statements, one for each kind of row. `station` and `taxon` are the highest numbers
    /// that were there before.
    fn statements(&self, words: &Words, station: i64, taxon: i64) -> Vec<String> {
        let mut all = self.names(words, taxon);
        all.extend(self.places(words, station));
        all.push(ended_jobs(words, self.jobs));
        all.push(self.photographs(words));
        all.extend(self.results(words, taxon));
        all
    }

    fn names(&self, words: &Words, base: i64) -> Vec<String> {
        let (at, none) = (words.instant("0"), words.empty_list());
        let (family, genus) = (base + 2, base + 2 + FAMILIES);
        let insert = "INSERT INTO taxon \
            (id, name, rank, parent_id, active, search_names, parents, created_at, updated_at) ";
        let level = |rows: i64, first: i64, rank: &str, parent: String| {
            format!(
                "{}{insert} SELECT {first} + i - 1, '{rank} ' || (i * 7919 % {rows}), '{rank}', \
                 {parent}, {yes}, {none}, {none}, {at}, {at} FROM n",
                numbers(rows),
                yes = if words.sqlite { "1" } else { "TRUE" },
            )
        };
        vec![
            level(1, base + 1, "ORDER", "NULL".to_owned()),
            level(FAMILIES, family, "FAMILY", format!("{}", base + 1)),
            level(GENERA, genus, "GENUS", format!("{family} + i % {FAMILIES}")),
            level(
                SPECIES,
                genus + GENERA,
                "SPECIES",
                format!("{genus} + i % {GENERA}"),
            ),
        ]
    }

    fn places(&self, words: &Words, base: i64) -> Vec<String> {
        let (project, stations) = (self.project, self.stations());
        let at = words.instant("i");
        vec![
            format!(
                "{}INSERT INTO station (id, project_id, name, description, captures_count, \
                 sessions_count, detections_count, occurrences_count, taxa_count, created_at, \
                 updated_at) SELECT {base} + i, {project}, 'Station ' || i, '', 0, 0, 0, 0, 0, \
                 {at}, {at} FROM n",
                numbers(stations),
            ),
            format!(
                "{}INSERT INTO session (id, project_id, station_id, day, start_at, end_at, \
                 captures_count, detections_count, occurrences_count, created_at, updated_at) \
                 SELECT i, {project}, {base} + 1 + i % {stations}, {day}, {start}, {end}, \
                 0, 0, 0, {at}, {at} FROM n",
                numbers(self.sessions()),
                day = words.day(&format!("i / {stations}")),
                start = words.local(&format!("1440 * (i / {stations})")),
                end = words.local(&format!("1440 * (i / {stations}) + {}", NIGHT - 1)),
            ),
        ]
    }

    /// Captures; one in a thousand has no time and so no session.
    fn photographs(&self, words: &Words) -> String {
        let (project, sessions) = (self.project, self.sessions());
        let minutes = format!("1440 * (s.id / {}) + (n.i - 1) % {NIGHT}", self.stations());
        format!(
            "{}INSERT INTO capture (id, project_id, station_id, session_id, path, taken_at, width, \
             height, size, test_image, detections_count, created_at, updated_at) \
             SELECT n.i, {project}, s.station_id, CASE WHEN n.i % 1000 = 999 THEN NULL ELSE s.id END, \
             'night' || s.id || '/' || (n.i * 7919 % 1000003) || '-' || n.i || '.jpg', \
             CASE WHEN n.i % 1000 = 999 THEN NULL ELSE {taken} END, \
             2048 + 1024 * (n.i % 3), 1536 + 768 * (n.i % 3), 1000000 + n.i * 7919 % 7000001, \
             {no}, 0, {at}, {at} \
             FROM n JOIN session s ON s.id = 1 + (n.i - 1) / {NIGHT} % {sessions}",
            numbers(self.captures),
            taken = words.local(&minutes),
            no = if words.sqlite { "0" } else { "FALSE" },
            at = words.instant("n.i"),
        )
    }

    /// What was found on the first nine tenths of the captures: in each nine of them ten
    /// individuals, each on three that follow one another.
    fn results(&self, words: &Words, names: i64) -> Vec<String> {
        let (project, algorithm) = (self.project, self.algorithm);
        let species = names + 2 + FAMILIES + GENERA;
        let first = "(n.i - 1) / 10 * 9 + 1 + (n.i - 1) % 10 % 7";
        let occurrence = "1 + (n.i - 1) / 3";
        let yes = if words.sqlite { "1" } else { "TRUE" };
        let no = if words.sqlite { "0" } else { "FALSE" };
        let at = words.instant("n.i");
        let detections = self.captures / 10 * 30;
        let everything = (self.everything, 1);
        let sample = (self.sample, 100);
        let set = |(set, step): (i64, i64)| {
            format!(
                "INSERT INTO capture_set_member (capture_set_id, capture_id) \
                 SELECT {set}, id FROM capture WHERE id % {step} = 0"
            )
        };
        vec![
            set(everything),
            set(sample),
            "UPDATE capture_set SET captures_count = (SELECT COUNT(*) FROM capture_set_member m \
             WHERE m.capture_set_id = capture_set.id)"
                .to_owned(),
            format!(
                "{}INSERT INTO occurrence (id, project_id, station_id, session_id, \
                 determination_id, determination_score, first_seen_at, last_seen_at, boxes_count, \
                 created_at, updated_at) \
                 SELECT n.i, {project}, a.station_id, a.session_id, \
                 CASE WHEN n.i % 101 = 0 THEN NULL \
                 ELSE {species} + (n.i * 7919 % 10007) * (n.i * 7919 % 10007) * {SPECIES} / 100140049 END, \
                 CASE WHEN n.i % 101 = 0 THEN NULL ELSE (n.i * 48271 % 100003) / 100003.0 END, \
                 CASE WHEN b.taken_at < a.taken_at THEN b.taken_at ELSE a.taken_at END, \
                 CASE WHEN b.taken_at < a.taken_at THEN a.taken_at ELSE b.taken_at END, 3, {at}, {at} \
                 FROM n JOIN capture a ON a.id = {first} JOIN capture b ON b.id = {first} + 2",
                numbers(self.captures / 10 * 10),
            ),
            format!(
                "{}INSERT INTO detection (id, capture_id, x1, y1, x2, y2, taken_at, detected_at, \
                 algorithm_id, occurrence_id, created_at, updated_at) \
                 SELECT n.i, c.id, n.i % 1000, n.i % 700, n.i % 1000 + 80, n.i % 700 + 60, \
                 c.taken_at, {at}, {algorithm}, {occurrence}, {at}, {at} \
                 FROM n JOIN capture c ON c.id = \
                 (n.i - 1) / 30 * 9 + 1 + (n.i - 1) / 3 % 10 % 7 + (n.i - 1) % 3",
                numbers(detections),
            ),
            format!(
                "{}INSERT INTO classification (id, detection_id, taxon_id, algorithm_id, score, \
                 terminal, classified_at, created_at, updated_at) \
                 SELECT n.i, n.i, o.determination_id, {algorithm}, o.determination_score, {yes}, \
                 {at}, {at}, {at} FROM n JOIN occurrence o ON o.id = {occurrence}",
                numbers(detections),
            ),
            format!(
                "INSERT INTO identification (occurrence_id, taxon_id, user_id, comment, withdrawn, \
                 created_at, updated_at) SELECT n.id, determination_id, {user}, '', {no}, {at}, {at} \
                 FROM occurrence n WHERE id % 200 = 0 AND determination_id IS NOT NULL",
                user = self.user,
                at = words.instant("n.id"),
            ),
            "UPDATE capture SET boxes_count = f.boxes, detections_count = f.valid, \
             taxa_count = f.taxa, last_processed_at = f.newest \
             FROM (SELECT d.capture_id, COUNT(*) AS boxes, \
                SUM(CASE WHEN o.determination_score >= 0.5 THEN 1 ELSE 0 END) AS valid, \
                COUNT(DISTINCT CASE WHEN o.determination_score >= 0.5 THEN o.determination_id END) AS taxa, \
                MAX(d.created_at) AS newest \
                FROM detection d JOIN occurrence o ON o.id = d.occurrence_id GROUP BY d.capture_id) f \
             WHERE f.capture_id = capture.id"
                .to_owned(),
        ]
    }
}

impl Store {
    /// Fills a fresh database.
    ///
    /// # Errors
    /// Errors of the database; where it holds captures already, the first of them is one.
    pub async fn fill(&self, large: Large) -> StoreResult<()> {
        let words = Words {
            sqlite: self.is_sqlite(),
        };
        let station = self.highest("station").await?;
        let taxon = self.highest("taxon").await?;
        // Rows are added to a table first and sorted into its indices once.
        let indices = self.indices().await?;
        for (name, _) in &indices {
            self.run(&format!("DROP INDEX {name}")).await?;
        }
        for statement in large.statements(&words, station, taxon) {
            let begun = std::time::Instant::now();
            self.run(&statement).await?;
            tracing::info!(seconds = begun.elapsed().as_secs_f64(), statement);
        }
        for (_, create) in &indices {
            self.run(create).await?;
        }
        if !words.sqlite {
            for table in TABLES.into_iter().chain(["station", "taxon"]) {
                if table != "capture_set_member" {
                    self.run(&format!(
                        "SELECT setval(pg_get_serial_sequence('{table}', 'id'), \
                         (SELECT max(id) FROM {table}))"
                    ))
                    .await?;
                }
                // What the server does by itself some time after so many rows.
                self.run(&format!("VACUUM ANALYZE {table}")).await?;
            }
        }
        self.recount_sums(large.project).await?;
        tracing::info!(at = %now(), "filled");
        Ok(())
    }

    /// Counts what is summed up from a project's captures: its sessions, then its stations.
    async fn recount_sums(&self, project: i64) -> StoreResult<()> {
        let sessions = session::Entity::find().filter(session::Column::ProjectId.eq(project));
        for session in sessions.all(&self.db).await? {
            self.refresh_session(session.id).await?;
        }
        let stations = station::Entity::find().filter(station::Column::ProjectId.eq(project));
        for station in stations.all(&self.db).await? {
            self.refresh_station(station.id).await?;
        }
        Ok(())
    }

    /// Adds jobs that ended long ago, each like the first one that is there, up to this number.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn fill_jobs(&self, jobs: i64) -> StoreResult<()> {
        let words = Words {
            sqlite: self.is_sqlite(),
        };
        self.run(&ended_jobs(&words, jobs)).await?;
        if !words.sqlite {
            let next =
                "SELECT setval(pg_get_serial_sequence('job', 'id'), (SELECT max(id) FROM job))";
            self.run(next).await?;
            self.run("VACUUM ANALYZE job").await?;
        }
        Ok(())
    }

    async fn run(&self, statement: &str) -> StoreResult<()> {
        self.db.execute_unprepared(statement).await?;
        Ok(())
    }

    async fn highest(&self, table: &str) -> StoreResult<i64> {
        let select = format!("SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM {table}");
        let backend = self.db.get_database_backend();
        let row = self
            .db
            .query_one_raw(sea_orm::Statement::from_string(backend, select))
            .await?;
        Ok(row.map_or(Ok(0), |row| row.try_get_by_index(0))?)
    }

    /// Names and statements of the indices of the large tables.
    async fn indices(&self) -> StoreResult<Vec<(String, String)>> {
        let backend = self.db.get_database_backend();
        let tables = TABLES.map(|table| format!("'{table}'")).join(", ");
        let select = match backend {
            DbBackend::Sqlite => format!(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL \
                 AND tbl_name IN ({tables})"
            ),
            _ => format!(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({tables}) \
                 AND schemaname = current_schema() AND indexname NOT LIKE '%_pkey'"
            ),
        };
        let rows = self
            .db
            .query_all_raw(sea_orm::Statement::from_string(backend, select))
            .await?;
        let pair =
            |row: &sea_orm::QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        rows.iter().map(pair).collect()
    }
}
