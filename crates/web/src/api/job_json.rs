//! A job as the API shows it: the keys of the recordings, in their order, and no others
//! (`ui.md` §A.4). Everything a page of jobs points to is read in one query per table.

use std::collections::HashMap;

use domain::permission::{
    JobFacts, ProjectFacts, capture_permissions, capture_set_permissions, deployment_permissions,
    job_permissions, pipeline_permissions, project_permissions,
};
use rest::ApiResult;
use rest::Zone;
use rest::time::{instant, naive, seconds};
use serde_json::{Map, Value, json};
use store::capture::Capture;
use store::capture_set::CaptureSet;
use store::job::Job;
use store::job::list::Export;
use store::log::Line;
use store::pipeline::Pipeline;
use store::progress::{Counts, compose};
use store::project::Project;
use store::station::Station;

use super::internal;
use crate::auth::Who;
use crate::call::{Addresses, Call};
use crate::joblog;
use crate::linking::Linking;

/// What a page of jobs points to.
pub struct Around {
    addresses: Addresses,
    who: Who,
    projects: HashMap<i64, (Project, ProjectFacts)>,
    stations: HashMap<i64, Station>,
    sets: HashMap<i64, CaptureSet>,
    captures: HashMap<i64, (Capture, Option<String>)>,
    pipelines: HashMap<i64, Pipeline>,
    exports: HashMap<i64, Export>,
    counts: HashMap<i64, Counts>,
    linking: Option<Linking>,
}

impl Around {
    /// Reads it all.
    pub async fn read(call: &Call, jobs: &[Job]) -> ApiResult<Around> {
        let ids = |pick: fn(&Job) -> Option<i64>| {
            let mut ids: Vec<i64> = jobs.iter().filter_map(pick).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let store = call.store();
        let mut projects = HashMap::new();
        let rows = store.projects_by_id(&ids(|j| Some(j.project_id))).await;
        let rows = rows.map_err(internal)?;
        let facts = call.facts_of(&rows).await?;
        for project in rows {
            let facts = facts.get(&project.id).copied().unwrap_or_default();
            projects.insert(project.id, (project, facts));
        }
        let captures = store.captures_by_id(&ids(|j| j.capture_id)).await;
        let captures = captures.map_err(internal)?;
        let mut places = store.locations(&captures).await.map_err(internal)?;
        let address = |place| crate::media::address(&call.state.links, &place);
        Ok(Around {
            addresses: call.addresses.clone(),
            who: call.who.clone(),
            projects,
            stations: by_id(
                store
                    .stations_by_id(&ids(|j| j.station_id))
                    .await
                    .map_err(internal)?,
                |s| s.id,
            ),
            sets: by_id(
                store
                    .capture_sets_by_id(&ids(|j| j.capture_set_id))
                    .await
                    .map_err(internal)?,
                |s| s.id,
            ),
            captures: captures
                .into_iter()
                .map(|c| (c.id, places.remove(&c.id).map(address), c))
                .map(|(id, url, c)| (id, (c, url)))
                .collect(),
            pipelines: store
                .pipelines_by_id(&ids(|j| j.pipeline_id))
                .await
                .map_err(internal)?
                .into_iter()
                .collect(),
            exports: by_id(
                store
                    .exports_of_jobs(&ids(|j| j.export_id))
                    .await
                    .map_err(internal)?,
                |e| e.id,
            ),
            counts: store.counts(jobs).await.map_err(internal)?,
            linking: call.state.linking.clone(),
        })
    }

    /// The job as lists show it: without log and result.
    pub fn row(&self, job: &Job) -> Value {
        let mut whole = self.job(job, &[]);
        if let Some(map) = whole.as_object_mut() {
            map.shift_remove("result");
        }
        whole
    }

    /// The job's object. `log` holds the newest lines first; lists show none.
    pub fn job(&self, job: &Job, log: &[Line]) -> Value {
        let counts = self.counts.get(&job.id).copied().unwrap_or_default();
        let progress = compose(job, counts);
        let kind = domain::job::kind(&job.kind);
        let duration = job
            .started_at
            .zip(job.finished_at)
            .map(|(a, b)| seconds(b - a));
        json!({
            "id": job.id,
            "details": self.link("jobs", job.id),
            "name": job.name,
            "delay": job.delay,
            "limit": job.limit,
            "shuffle": job.shuffle,
            "project": self.project(job.project_id),
            "deployment": job.station_id.and_then(|id| self.station(job, id)),
            "source_image_collection": job.capture_set_id.and_then(|id| self.set(job, id)),
            "source_image_single": job.capture_id.and_then(|id| self.capture(job, id)),
            "pipeline": job.pipeline_id.and_then(|id| self.pipeline(id)),
            "status": job.state,
            "created_at": instant(job.created_at),
            "updated_at": instant(job.updated_at),
            "started_at": job.started_at.map(instant),
            "finished_at": job.finished_at.map(instant),
            "duration": duration,
            "progress": progress,
            "logs": self.logs(log),
            "job_type": {
                "name": kind.map_or("Unknown", |k| k.name),
                "key": kind.map_or("unknown", |k| k.key),
            },
            "data_export": job.export_id.and_then(|id| self.export(id)),
            "dispatch_mode": job.dispatch_mode,
            "result": job.result,
            "user_permissions": self.permissions(job),
        })
    }

    /// What a polling worker reads of a job (`processing-service.md` §7.1).
    pub fn job_id(&self, job: &Job) -> Value {
        let pipeline = job.pipeline_id.and_then(|id| self.pipelines.get(&id));
        json!({
            "id": job.id,
            "pipeline_slug": pipeline.map(|p| &p.slug),
            "user_permissions": self.permissions(job),
        })
    }

    fn link(&self, path: &str, id: i64) -> String {
        self.addresses.row(path, id)
    }

    fn facts(&self, project: i64) -> ProjectFacts {
        self.projects.get(&project).map(|p| p.1).unwrap_or_default()
    }

    fn permissions(&self, job: &Job) -> Vec<String> {
        let facts = JobFacts {
            kind: &job.kind,
            single_capture: job.capture_id.is_some(),
        };
        let caller = self.who.caller();
        texts(job_permissions(caller, &self.facts(job.project_id), facts))
    }

    fn project(&self, id: i64) -> Option<Value> {
        let (project, facts) = self.projects.get(&id)?;
        Some(json!({
            "id": id,
            "name": project.name,
            "details": self.link("projects", id),
            "user_permissions": texts(project_permissions(self.who.caller(), facts)),
        }))
    }

    fn station(&self, job: &Job, id: i64) -> Option<Value> {
        let station = self.stations.get(&id)?;
        let facts = self.facts(job.project_id);
        Some(json!({
            "id": id,
            "name": station.name,
            "details": self.link("deployments", id),
            "user_permissions": texts(deployment_permissions(self.who.caller(), &facts)),
        }))
    }

    fn set(&self, job: &Job, id: i64) -> Option<Value> {
        let set = self.sets.get(&id)?;
        let facts = self.facts(job.project_id);
        Some(json!({
            "id": id,
            "name": set.name,
            "details": self.link("captures/collections", id),
            "method": set.method,
            "user_permissions": texts(capture_set_permissions(
                self.who.caller(),
                &facts,
                set.method == "starred",
            )),
        }))
    }

    fn capture(&self, job: &Job, id: i64) -> Option<Value> {
        let (capture, url) = self.captures.get(&id)?;
        let facts = self.facts(job.project_id);
        Some(json!({
            "id": id,
            "details": self.link("captures", id),
            "url": url,
            "width": capture.width,
            "height": capture.height,
            "timestamp": capture.taken_at.map(naive),
            "event_id": capture.session_id,
            "user_permissions": texts(capture_permissions(self.who.caller(), &facts)),
        }))
    }

    fn export(&self, id: i64) -> Option<Value> {
        let export = self.exports.get(&id)?;
        Some(json!({
            "id": id,
            "user": export.user_id,
            "project": export.project_id,
            "format": export.format,
            "filters": export.filters,
            "file_url": export.file_url,
        }))
    }

    fn pipeline(&self, id: i64) -> Option<Value> {
        let p = self.pipelines.get(&id)?;
        Some(json!({
            "id": id,
            "details": self.link("ml/pipelines", id),
            "name": p.name,
            "slug": p.slug,
            "description": p.description,
            "version": p.version,
            "version_name": p.version_name,
            "created_at": instant(p.created_at),
            "updated_at": instant(p.updated_at),
            "user_permissions": texts(pipeline_permissions(self.who.caller())),
        }))
    }
}

fn texts<T: ToString>(list: Vec<T>) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn by_id<T>(rows: Vec<T>, id: fn(&T) -> i64) -> HashMap<i64, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

impl Around {
    /// `logs` of a job: lines of all levels, and the messages of errors, newest first.
    fn logs(&self, lines: &[Line]) -> Value {
        let (zone, linking) = (Zone::current(), self.linking.as_ref());
        let stdout = lines.iter().map(|line| joblog::text(line, zone, linking));
        let errors = lines.iter().filter(|line| line.level == "ERROR");
        let mut map = Map::new();
        map.insert("stdout".into(), stdout.collect());
        map.insert(
            "stderr".into(),
            errors.map(|line| line.message.clone()).collect(),
        );
        Value::Object(map)
    }
}
