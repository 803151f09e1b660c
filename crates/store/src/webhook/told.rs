//! What is to be told: rows of deliveries, written when something happens. The idea: the end of a
//! job writes them in its own transaction; that no worker was heard of is looked for, and written
//! under the lock of the job, so that whoever looks tells it once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::permission::{Permit, Update};
use domain::telling::{Event, JobNews, Named, News, Silence};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::sending::{DeliveryState, LEASE};
use super::{Delivery, Webhook};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{project, webhook, webhook_delivery};
use crate::job::{Job, life};

/// The webhooks of a project, or of all, that are switched on.
async fn listening<C: ConnectionTrait>(db: &C, of: Option<i64>) -> StoreResult<Vec<Webhook>> {
    use webhook::Column as C_;
    let all = webhook::Entity::find().filter(C_::Enabled.eq(true));
    let these = match of {
        Some(project) => all.filter(C_::ProjectId.eq(project)),
        None => all,
    };
    Ok(these.order_by_asc(C_::Id).all(db).await?)
}

async fn named<C: ConnectionTrait>(db: &C, project: i64) -> StoreResult<Named> {
    let row = project::Entity::find_by_id(project).one(db).await?;
    let row = row.ok_or(StoreError::NotFound("project"))?;
    Ok(Named {
        id: row.id,
        name: row.name,
    })
}

async fn news_of(tx: &Write, job: &Job) -> StoreResult<News> {
    let counts = crate::progress::sum_in(&**tx, job.id, job.generation).await?;
    Ok(News {
        project: named(&**tx, job.project_id).await?,
        job: Some(JobNews {
            id: job.id,
            name: job.name.clone(),
            kind: job.kind.clone(),
            status: job.state.clone(),
            total: job.total,
            done: counts.done,
            failed: counts.failed,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }),
        detail: None,
        silence: None,
        at: now(),
    })
}

/// A delivery that is due at once.
fn delivery(
    webhook: &Webhook,
    event: Event,
    news: &News,
) -> StoreResult<webhook_delivery::ActiveModel> {
    let payload =
        serde_json::to_value(news).map_err(|error| StoreError::Unreadable(error.to_string()))?;
    let at = now();
    Ok(webhook_delivery::ActiveModel {
        webhook_id: Set(webhook.id),
        key: Set(hex::encode(rand::random::<[u8; 16]>())),
        event: Set(event.word().to_owned()),
        job_id: Set(news.job.as_ref().map(|job| job.id)),
        payload: Set(payload),
        state: Set(DeliveryState::Waiting.word().to_owned()),
        attempts: Set(0),
        next_at: Set(Some(at)),
        status: Set(None),
        reason: Set(None),
        created_at: Set(at),
        sent_at: Set(None),
        finished_at: Set(None),
        ..Default::default()
    })
}

/// Writes down who is to be told that a job has ended.
pub(crate) async fn end(tx: &Write, job: &Job, why: Option<&str>) -> StoreResult<()> {
    let state = job.job_state();
    let mut told = listening(&**tx, Some(job.project_id)).await?;
    told.retain(|webhook| webhook.wishes().end(state));
    if told.is_empty() {
        return Ok(());
    }
    let news = News {
        detail: why.map(str::to_owned),
        ..news_of(tx, job).await?
    };
    for webhook in &told {
        delivery(webhook, Event::JobEnded, &news)?
            .insert(&**tx)
            .await?;
    }
    Ok(())
}

/// When a webhook was last told that no worker was heard of for a job.
async fn last_told<C: ConnectionTrait>(
    db: &C,
    webhook: i64,
    job: i64,
) -> StoreResult<Option<DateTime<Utc>>> {
    use webhook_delivery::Column as C_;
    Ok(webhook_delivery::Entity::find()
        .select_only()
        .column(C_::CreatedAt)
        .filter(C_::JobId.eq(job))
        .filter(C_::WebhookId.eq(webhook))
        .filter(C_::Event.eq(Event::JobNoWorker.word()))
        .order_by_desc(C_::Id)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?)
}

impl Store {
    /// Writes down who is to be told that no worker was heard of for their jobs. Any process may
    /// call it at any time; returns how many that were.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn tell_of_silence(&self) -> StoreResult<usize> {
        let mut by_project: HashMap<i64, Vec<Webhook>> = HashMap::new();
        for webhook in listening(&self.db, None).await? {
            if webhook.wishes().events.contains(&Event::JobNoWorker) {
                let of = by_project.entry(webhook.project_id).or_default();
                of.push(webhook);
            }
        }
        if by_project.is_empty() {
            return Ok(0);
        }
        let projects: Vec<i64> = by_project.keys().copied().collect();
        let mut told = 0;
        for job in self.jobs_without_runner(&projects).await? {
            let Some(since) = self.silent_since(&job).await? else {
                continue;
            };
            let all = by_project.get(&job.project_id);
            for webhook in all.into_iter().flatten() {
                told += usize::from(self.tell_silence(webhook, &job, since).await?);
            }
        }
        Ok(told)
    }

    /// Tells one webhook of one job, unless it was told or the job has changed.
    async fn tell_silence(
        &self,
        webhook: &Webhook,
        seen: &Job,
        since: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let wishes = webhook.wishes();
        let told = last_told(&self.db, webhook.id, seen.id).await?;
        // Most looks end here, without a write.
        if !wishes.silence(since, told, now()) {
            return Ok(false);
        }
        let tx = self.write().await?;
        let job = match life::lock(&tx, seen.id).await {
            Ok(job) => job,
            Err(StoreError::NotFound(_)) => return Ok(false),
            Err(other) => return Err(other),
        };
        let told = last_told(&*tx, webhook.id, job.id).await?;
        let same = job.updated_at == seen.updated_at && job.generation == seen.generation;
        if !same || !wishes.silence(since, told, now()) {
            return Ok(false);
        }
        let news = News {
            silence: Some(Silence {
                minutes: wishes.minutes,
                since,
            }),
            ..news_of(&tx, &job).await?
        };
        let row = delivery(webhook, Event::JobNoWorker, &news)?;
        row.insert(&*tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Writes down a test, already taken by whoever sends it now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn begin_test(
        &self,
        _permit: Permit<Update>,
        webhook: &Webhook,
    ) -> StoreResult<Delivery> {
        let tx = self.write().await?;
        let at = now();
        let news = News {
            project: named(&*tx, webhook.project_id).await?,
            job: None,
            detail: Some("This is a test.".to_owned()),
            silence: None,
            at,
        };
        let mut row = delivery(webhook, Event::Test, &news)?;
        row.attempts = Set(1);
        row.sent_at = Set(Some(at));
        row.next_at = Set(Some(at + LEASE));
        let made = row.insert(&*tx).await?;
        tx.commit().await?;
        Ok(made)
    }
}
