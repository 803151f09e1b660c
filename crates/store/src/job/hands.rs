//! Where the images of the jobs at work are, job by job, for a page of them. The idea: what waits
//! is not counted but follows from counts that are kept; only what is in somebody's hands is
//! counted, and that is never more than workers can hold.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::job::ML;
use domain::state::JobState;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Job;
use crate::connection::{Store, StoreResult, clock};
use crate::entity::{job, ticket, user};
use crate::progress::Counts;
use crate::ticket::Depth;
use crate::ticket::HANDED_OUT;
use crate::user::User;

/// Jobs of one state that are looked through at most.
const MOST: u64 = 2_000;

/// States of jobs that are at work or will be without anybody doing anything.
const AT_WORK: [JobState; 3] = [JobState::Started, JobState::Pending, JobState::Canceling];

/// Something that happened to some job.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// The job.
    pub job: Job,
    /// When.
    pub at: DateTime<Utc>,
    /// A word of [`super::event::What`].
    pub what: String,
    /// The runner, the reason.
    pub detail: Option<String>,
    /// Who asked for it.
    pub user: Option<User>,
}

/// A runner that holds jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerSeen {
    /// Its name.
    pub name: String,
    /// How many jobs it holds.
    pub jobs: u64,
    /// When it was last heard of.
    pub beat_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Jobs that run, wait for a runner or are being cancelled, of a project or of all: those of
    /// higher priority and newer ones first, of each state the newest that are looked through.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_at_work(&self, project: Option<i64>, most: u64) -> StoreResult<Vec<Job>> {
        use job::Column as C;
        let mut rows = Vec::new();
        for state in AT_WORK {
            let found = job::Entity::find()
                .filter(C::Id.in_subquery(in_state(state, project)))
                .order_by_desc(C::Priority)
                .order_by_desc(C::Id)
                .limit(most);
            rows.extend(found.all(&self.db).await?);
        }
        rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// How many jobs of a project run, wait for a runner or are being cancelled.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn count_at_work(&self, project: i64) -> StoreResult<u64> {
        use job::Column as C;
        let all = job::Entity::find()
            .filter(C::ProjectId.eq(project))
            .filter(C::State.is_in(AT_WORK.map(JobState::code)));
        self.count_rows(all).await
    }

    /// The newest ML jobs of a project that run or wait, of those whose images are handed out or, if
    /// `paused`, of those that a person holds back; and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_to_steer(
        &self,
        project: i64,
        paused: bool,
        most: u64,
    ) -> StoreResult<(Vec<Job>, u64)> {
        use job::Column as C;
        let states = [JobState::Started, JobState::Pending];
        let all = job::Entity::find()
            .filter(C::ProjectId.eq(project))
            .filter(C::State.is_in(states.map(JobState::code)))
            .filter(C::Kind.eq(ML))
            .filter(C::Paused.eq(paused));
        let count = self.count_rows(all.clone()).await?;
        let newest = all.order_by_desc(C::Id).limit(most);
        Ok((newest.all(&self.db).await?, count))
    }

    /// Where the images of these jobs are; of those handed out as often as `most` says of a job's
    /// pipeline, the ones whose lease is over are dead.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn hands(
        &self,
        jobs: &[Job],
        counts: &HashMap<i64, Counts>,
        most: impl Fn(&Job) -> i32,
    ) -> StoreResult<HashMap<i64, Depth>> {
        let ids: Vec<i64> = jobs.iter().map(|job| job.id).collect();
        let lent = self.lent(&ids).await?;
        let streams = self.standing_streams(&ids).await?;
        let mut all = HashMap::new();
        for job in jobs {
            let mut depth = Depth::default();
            let limit = most(job);
            let of_job = lent.iter().filter(|lent| lent.job == job.id);
            for lent in of_job {
                match (lent.held, lent.deliveries >= limit) {
                    (true, _) => depth.leased += lent.images,
                    (false, true) => depth.dead += lent.images,
                    (false, false) => {} // they wait, with the others
                }
            }
            let counted = counts.get(&job.id).copied().unwrap_or_default();
            let open = job.kept + job.fed - counted.done - counted.failed;
            let open = u64::try_from(open).unwrap_or(0);
            if let Some((_, _, leased)) = streams.iter().find(|(id, ..)| *id == job.id)
                && job.in_stream
            {
                depth.leased += leased;
            }
            depth.waiting = open.saturating_sub(depth.leased + depth.dead);
            all.insert(job.id, depth);
        }
        Ok(all)
    }

    /// Images of these jobs that were handed out at least once, in groups.
    async fn lent(&self, jobs: &[i64]) -> StoreResult<Vec<Lent>> {
        use ticket::Column as C;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let grouped = |held: bool| {
            let at = clock();
            let seen = || Expr::col(C::VisibleAt);
            let mut select = Query::select();
            select
                .columns([C::JobId, C::Deliveries])
                .expr(Func::count(Expr::col(Asterisk)))
                .from(ticket::Entity)
                .and_where(Expr::col(C::JobId).is_in(jobs.iter().copied()))
                .group_by_columns([C::JobId, C::Deliveries]);
            match held {
                true => select.and_where(seen().gt(at)),
                false => select
                    .and_where(seen().gt(HANDED_OUT))
                    .and_where(seen().lte(at)),
            };
            select
        };
        let mut all = Vec::new();
        for held in [true, false] {
            for row in self.db.query_all(&grouped(held)).await? {
                let images: i64 = row.try_get_by_index(2)?;
                all.push(Lent {
                    job: row.try_get_by_index(0)?,
                    deliveries: row.try_get_by_index(1)?,
                    held,
                    images: images.unsigned_abs(),
                });
            }
        }
        Ok(all)
    }

    /// What happened last to any job, of these words of `What`, newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn happened_last(&self, what: &[&str], most: u64) -> StoreResult<Vec<Happened>> {
        use crate::entity::job_event::{self, Column as C};
        let mut rows: Vec<job_event::Model> = Vec::new();
        for word in what {
            let newest = job_event::Entity::find()
                .filter(C::What.eq(*word))
                .order_by_desc(C::Id)
                .limit(most);
            rows.extend(newest.all(&self.db).await?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let jobs = job::Entity::find()
            .filter(job::Column::Id.is_in(rows.iter().map(|row| row.job_id)))
            .all(&self.db)
            .await?;
        let people = user::Entity::find()
            .filter(user::Column::Id.is_in(rows.iter().filter_map(|row| row.user_id)))
            .all(&self.db)
            .await?;
        let happened = |row: job_event::Model| {
            let job = jobs.iter().find(|job| job.id == row.job_id)?.clone();
            let person = |user: &&User| Some(user.id) == row.user_id;
            Some(Happened {
                job,
                at: row.created_at,
                user: people.iter().find(person).cloned(),
                what: row.what,
                detail: row.detail,
            })
        };
        Ok(rows.into_iter().filter_map(happened).collect())
    }

    /// The runners that hold jobs now.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn runners(&self) -> StoreResult<Vec<RunnerSeen>> {
        use job::Column as C;
        let jobs: Vec<(Option<String>, Option<DateTime<Utc>>)> = job::Entity::find()
            .select_only()
            .columns([C::Owner, C::BeatAt])
            .filter(C::State.is_in([JobState::Started.code(), JobState::Canceling.code()]))
            .filter(C::Owner.is_not_null())
            .limit(MOST)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut seen: Vec<RunnerSeen> = Vec::new();
        for (name, beat_at) in jobs {
            let Some(name) = name else { continue };
            match seen.iter_mut().find(|runner| runner.name == name) {
                Some(runner) => {
                    runner.jobs += 1;
                    runner.beat_at = Ord::max(runner.beat_at, beat_at);
                }
                None => seen.push(RunnerSeen {
                    name,
                    jobs: 1,
                    beat_at,
                }),
            }
        }
        seen.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(seen)
    }
}

/// Images in one place.
struct Lent {
    job: i64,
    deliveries: i32,
    held: bool,
    images: u64,
}

/// The jobs in a state, along an index: of all projects those of the highest priority, of one its
/// newest, so that what other projects have hides none of them.
fn in_state(state: JobState, project: Option<i64>) -> SelectStatement {
    let mut some = Query::select();
    some.column(job::Column::Id)
        .from(job::Entity)
        .and_where(Expr::col(job::Column::State).eq(state.code()))
        .limit(MOST);
    let first = match project {
        Some(project) => {
            some.and_where(Expr::col(job::Column::ProjectId).eq(project));
            job::Column::CreatedAt
        }
        None => job::Column::Priority,
    };
    some.order_by(first, Order::Desc)
        .order_by(job::Column::Id, Order::Desc);
    Query::select()
        .column(job::Column::Id)
        .from_subquery(some, "some")
        .to_owned()
}
