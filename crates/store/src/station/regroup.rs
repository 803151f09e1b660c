//! Who may regroup a station, and which stations wait for it (`domain-rules.md` §4). The idea: a
//! lock is held in the name of a job's claim and is void as soon as that claim is, so nothing that
//! dies leaves it behind; and what changes a station's captures says so in its own transaction,
//! so the regrouping is owed whatever happens next.

use chrono::{DateTime, Duration, Utc};
use domain::job::{REGROUP, SYNC};
use domain::state::JobState;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};

use super::Station;
use crate::connection::{Store, StoreResult, Write, now};
use crate::entity::{capture, job, session, station};
use crate::job::life::Fence;
use crate::job::target::Target;
use crate::job::{Job, NewJob, insert};

/// Stations for which jobs are made in one round.
const AT_ONCE: u64 = 50;

/// The name in which a running job holds a station's lock.
pub fn holder(fence: &Fence) -> String {
    format!("job {} claim {}", fence.job, fence.claim_no)
}

/// Job and claim of such a name.
fn claim(holder: &str) -> Option<(i64, i64)> {
    let (job, claim) = holder.strip_prefix("job ")?.split_once(" claim ")?;
    Some((job.parse().ok()?, claim.parse().ok()?))
}

/// True where the holder of a lock is a claim that is over.
async fn is_over(tx: &Write, holder: &str) -> StoreResult<bool> {
    let Some((id, claim)) = claim(holder) else {
        return Ok(false);
    };
    let job = job::Entity::find_by_id(id).one(&**tx).await?;
    let runs = job.is_some_and(|job| {
        let at_work = matches!(job.job_state(), JobState::Started | JobState::Canceling);
        at_work && job.owner.is_some() && job.claim_no == claim
    });
    Ok(!runs)
}

/// Whether somebody other than `holder` has the lock of a station now.
async fn is_held(tx: &Write, row: &Station, holder: &str, at: DateTime<Utc>) -> StoreResult<bool> {
    match (&row.regroup_lock, row.regroup_lock_until) {
        (None, _) => Ok(false),
        (Some(other), _) if other == holder => Ok(false),
        (_, Some(until)) if until < at => Ok(false),
        (Some(other), _) => Ok(!is_over(tx, other).await?),
    }
}

async fn locked(tx: &Write, id: i64) -> StoreResult<Option<Station>> {
    let row = station::Entity::find_by_id(id).lock_exclusive();
    Ok(row.one(&**tx).await?)
}

/// Says, in the transaction that changes them, that a station's captures must be put into
/// sessions again.
pub(crate) async fn mark(tx: &Write, id: i64) -> StoreResult<()> {
    station::Entity::update_many()
        .col_expr(station::Column::RegroupDueAt, Expr::value(now()))
        .filter(station::Column::Id.eq(id))
        .exec(&**tx)
        .await?;
    Ok(())
}

impl Store {
    /// Whether captures of a station are without a session or in one of another station.
    pub(super) async fn needs_regroup(&self, id: i64) -> StoreResult<bool> {
        use capture::Column as C;
        let own = || capture::Entity::find().filter(C::StationId.eq(id));
        let loose = own()
            .filter(C::SessionId.is_null())
            .filter(C::TakenAt.is_not_null());
        let strange = own()
            .join(JoinType::InnerJoin, capture::Relation::Session.def())
            .filter(session::Column::StationId.ne(id));
        for select in [loose, strange] {
            let found = select.select_only().column(C::Id).limit(1);
            if found.into_tuple::<i64>().one(&self.db).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes or renews the regroup lock of a station for `holder`; false while another holds
    /// it. It is void after `ttl`, and once the claim of a job that holds it is over, so a crash
    /// cannot leave it behind.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn lock_regroup(
        &self,
        station: i64,
        holder: &str,
        ttl: Duration,
    ) -> StoreResult<bool> {
        use station::Column as C;
        let at = now();
        let tx = self.write().await?;
        let Some(row) = locked(&tx, station).await? else {
            return Ok(false);
        };
        if is_held(&tx, &row, holder, at).await? {
            return Ok(false);
        }
        station::Entity::update_many()
            .col_expr(C::RegroupLock, Expr::value(holder))
            .col_expr(C::RegroupLockUntil, Expr::value(at + ttl))
            .filter(C::Id.eq(station))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Gives the regroup lock back, if `holder` still has it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn unlock_regroup(&self, station: i64, holder: &str) -> StoreResult<()> {
        use station::Column as C;
        let tx = self.write().await?;
        station::Entity::update_many()
            .col_expr(C::RegroupLock, Expr::value(Option::<String>::None))
            .filter(C::Id.eq(station))
            .filter(C::RegroupLock.eq(holder))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    /// Makes a job for each station whose captures have waited for `quiet` to be put into
    /// sessions, unless one is at it or about to be. Any process may call it at any time.
    /// Returns the jobs that were made.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn start_due_regroups(&self, quiet: Duration) -> StoreResult<Vec<Job>> {
        use station::Column as C;
        let due: Vec<i64> = station::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::RegroupDueAt.lte(now() - quiet))
            .filter(C::ProjectId.is_not_null())
            .order_by_asc(C::RegroupDueAt)
            .limit(AT_ONCE)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut made = Vec::new();
        for id in due {
            match self.start_due_regroup(id, quiet).await {
                Ok(job) => made.extend(job),
                // The others are not kept waiting; the next look tries it again.
                Err(error) => {
                    let error = error.of_one()?;
                    tracing::warn!(station = id, %error, "a station could not be regrouped");
                }
            }
        }
        Ok(made)
    }

    async fn start_due_regroup(&self, id: i64, quiet: Duration) -> StoreResult<Option<Job>> {
        let at = now();
        let tx = self.write().await?;
        if let Some(target) = Target::of(REGROUP, Some(id), None)
            && target.busy(&tx, &[REGROUP, SYNC], None).await?.is_some()
        {
            return Ok(None); // it groups them too, or leaves the mark for a further one
        }
        let Some(row) = locked(&tx, id).await? else {
            return Ok(None);
        };
        let is_due = row.regroup_due_at.is_some_and(|due| due <= at - quiet);
        let (true, Some(project_id)) = (is_due, row.project_id) else {
            return Ok(None); // another process was faster, or something changed just now
        };
        if is_held(&tx, &row, "", at).await? {
            return Ok(None);
        }
        let new = NewJob {
            name: format!("Regroup sessions for deployment {id}"),
            project_id,
            kind: REGROUP,
            station_id: Some(id),
            shuffle: true,
            start_now: true,
            ..NewJob::default()
        };
        let job = insert(&tx, new).await?;
        // Whatever becomes of the job: it is not made again and again.
        clear(&tx, id, None).await?;
        tx.commit().await?;
        Ok(Some(job))
    }

    /// Says that a station's captures were put into sessions, as far as that was due at `since`.
    pub(crate) async fn regrouped(&self, id: i64, since: DateTime<Utc>) -> StoreResult<()> {
        let tx = self.write().await?;
        clear(&tx, id, Some(since)).await?;
        tx.commit().await
    }
}

async fn clear(tx: &Write, id: i64, since: Option<DateTime<Utc>>) -> StoreResult<()> {
    use station::Column as C;
    // A mark that was set since then stays, whichever clock set it.
    let which = Condition::all()
        .add(C::Id.eq(id))
        .add_option(since.map(|since| C::RegroupDueAt.eq(since)));
    station::Entity::update_many()
        .col_expr(C::RegroupDueAt, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(which)
        .exec(&**tx)
        .await?;
    Ok(())
}
