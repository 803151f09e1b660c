//! How fast the bare database writes the rows of pull jobs: the same rows in the same tables, in
//! two transactions for each lease, by the fewest statements and without any of the rules. What
//! the program does is measured against it; nothing but a measurement may call it.

use sea_orm::{ConnectionTrait, Statement, Value};

use crate::connection::{Store, StoreResult};
use crate::job::Job;

/// What stands in the rows besides their captures.
#[derive(Clone, Copy, Debug)]
pub struct Canned {
    /// The detector.
    pub detector: i64,
    /// The classifier.
    pub classifier: i64,
    /// What is found on every image.
    pub taxon: i64,
}

/// Opens the line of the job's counters.
///
/// # Errors
/// Errors of the database.
pub async fn open(store: &Store, job: &Job) -> StoreResult<()> {
    let tx = store.write().await?;
    let nothing = crate::progress::Counts::default();
    crate::progress::bump(&tx, job.id, job.generation, store.shard, nothing).await?;
    tx.commit().await
}

/// Leases so many images of a job, and writes each as done with one detection, one
/// classification and one occurrence. Returns how many there were.
///
/// # Errors
/// Errors of the database.
pub async fn lease_and_save(
    store: &Store,
    job: &Job,
    images: u32,
    canned: Canned,
) -> StoreResult<usize> {
    let captures = lease(store, job, images).await?;
    if !captures.is_empty() {
        save(store, job, &captures, canned).await?;
    }
    Ok(captures.len())
}

async fn lease(store: &Store, job: &Job, images: u32) -> StoreResult<Vec<i64>> {
    let tx = store.write().await?;
    let select = format!(
        "SELECT capture_id FROM ticket WHERE job_id = $1 AND visible_at < 1000000000000 \
         ORDER BY visible_at LIMIT {images}"
    );
    let ids = returned(&*tx, select, &[job.id]).await?;
    if ids.is_empty() {
        return Ok(ids);
    }
    let update = format!(
        "UPDATE ticket SET visible_at = 4000000000000, deliveries = deliveries + 1 \
         WHERE job_id = {} AND capture_id IN ({})",
        job.id,
        places(&ids)
    );
    run(&*tx, update, &ids).await?;
    tx.commit().await?;
    Ok(ids)
}

async fn save(store: &Store, job: &Job, ids: &[i64], canned: Canned) -> StoreResult<()> {
    let (at, count, of_ids) = ("'2026-11-23 13:25:56+00:00'", ids.len(), places(ids));
    let (of_job, run_no) = (job.id, job.run_no);
    let values = |row: &dyn Fn(usize) -> String| {
        let rows: Vec<String> = (0..count).map(row).collect();
        rows.join(", ")
    };
    let tx = store.write().await?;
    let one = format!(
        "({}, {}, {}, 0.9, 1, {at}, {at})",
        job.project_id,
        job.station_id.unwrap_or_default(),
        canned.taxon
    );
    let occurrences = format!(
        "INSERT INTO occurrence (project_id, station_id, determination_id, determination_score, \
         boxes_count, created_at, updated_at) VALUES {} RETURNING id",
        values(&|_| one.clone())
    );
    let occurrences = returned(&*tx, occurrences, &[]).await?;
    let detections = format!(
        "INSERT INTO detection (capture_id, occurrence_id, x1, y1, x2, y2, detected_at, \
         algorithm_id, created_at, updated_at) VALUES {} RETURNING id",
        values(&|i| {
            let (capture, occurrence, by) = (2 * i + 1, 2 * i + 2, canned.detector);
            format!("(${capture}, ${occurrence}, 10, 10, 50, 60, {at}, {by}, {at}, {at})")
        })
    );
    let pairs: Vec<i64> = ids
        .iter()
        .zip(&occurrences)
        .flat_map(|(c, o)| [*c, *o])
        .collect();
    let detections = returned(&*tx, detections, &pairs).await?;
    let said = format!(
        "INSERT INTO classification (detection_id, taxon_id, algorithm_id, score, scores, logits, \
         terminal, classified_at, created_at, updated_at) VALUES {}",
        values(&|i| {
            let (taxon, by) = (canned.taxon, canned.classifier);
            let scores = "'[0.9,0.1]', '[2.2,0.0]'";
            format!(
                "(${}, {taxon}, {by}, 0.9, {scores}, TRUE, {at}, {at}, {at})",
                i + 1
            )
        })
    );
    run(&*tx, said, &detections).await?;
    for of_images in [
        format!(
            "UPDATE task_result SET outcome = 1 WHERE job_id = {of_job} AND run_no = {run_no} \
             AND stage = 0 AND capture_id IN ({of_ids})"
        ),
        format!(
            "UPDATE capture SET detections_count = 1, taxa_count = 1, boxes_count = 1, \
             last_processed_at = {at} WHERE id IN ({of_ids})"
        ),
        format!("DELETE FROM ticket WHERE job_id = {of_job} AND capture_id IN ({of_ids})"),
    ] {
        run(&*tx, of_images, ids).await?;
    }
    let counted = format!(
        "UPDATE job_progress SET done = done + {count}, captures = captures + {count}, \
         detections = detections + {count}, classifications = classifications + {count} \
         WHERE job_id = $1"
    );
    run(&*tx, counted, &[of_job]).await?;
    tx.commit().await
}

fn places(ids: &[i64]) -> String {
    let texts: Vec<String> = (1..=ids.len()).map(|i| format!("${i}")).collect();
    texts.join(", ")
}

fn statement<C: ConnectionTrait>(tx: &C, sql: String, ids: &[i64]) -> Statement {
    let values = ids.iter().map(|id| Value::from(*id));
    Statement::from_sql_and_values(tx.get_database_backend(), sql, values)
}

async fn run<C: ConnectionTrait>(tx: &C, sql: String, ids: &[i64]) -> StoreResult<()> {
    tx.execute_raw(statement(tx, sql, ids)).await?;
    Ok(())
}

/// The first column of all rows.
async fn returned<C: ConnectionTrait>(tx: &C, sql: String, ids: &[i64]) -> StoreResult<Vec<i64>> {
    let rows = tx.query_all_raw(statement(tx, sql, ids)).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index::<i64>(0));
    Ok(ids.collect::<Result<_, _>>()?)
}
