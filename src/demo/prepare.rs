//! What the demo needs before its jobs can run: a superuser, a project, a station with its
//! captures, and the detector registered through its own `/info`. Everything is looked for
//! first, so a second run makes nothing twice.

use anyhow::{Context, bail};
use domain::state::JobState;
use jobs::Tools;
use serde_json::{Value, json};
use store::Store;
use store::job::Job;
use store::project::NewProject;
use store::user::{NewUser, User};

use super::captures::{self, Found};
use crate::settings::Demo;

const EMAIL: &str = "demo@hawkmoth.local";
const PROJECT: &str = "Demo";
const SET: &str = "All Images";
const SERVICE: &str = "Built-in detector";
const JOB: &str = "Find insects";
/// Images of one request to the detector.
const BATCH: u64 = 4;

/// The demo's project, ready for its jobs.
pub struct Prepared {
    /// Address of the server.
    pub url: String,
    /// Speaks to the server as the superuser.
    pub api: Api,
    pub project: i64,
    pub station: i64,
    pub set: i64,
    pub pipeline: i64,
}

impl Prepared {
    /// Jobs that come before the detection.
    pub fn groundwork(&self) -> [Value; 2] {
        [
            json!({
                "name": format!("Regroup sessions for deployment {}", self.station),
                "delay": 0,
                "project_id": self.project,
                "deployment_id": self.station,
                "job_type_key": domain::job::REGROUP,
            }),
            json!({
                "name": format!("Populate captures for capture set {}", self.set),
                "delay": 0,
                "project_id": self.project,
                "source_image_collection_id": self.set,
                "job_type_key": domain::job::POPULATE,
            }),
        ]
    }

    /// The job that the demo is about.
    pub fn detection(&self) -> Value {
        json!({
            "name": JOB,
            "delay": 0,
            "shuffle": false,
            "project_id": self.project,
            "source_image_collection_id": self.set,
            "pipeline_id": self.pipeline,
            "job_type_key": domain::job::ML,
        })
    }
}

/// The detection job that an earlier run has left unfinished, if there is one.
pub async fn unfinished(store: &Store, prepared: &Prepared) -> anyhow::Result<Option<Job>> {
    let job = store
        .newest_job(prepared.project, domain::job::ML, JOB)
        .await?;
    let running = |job: &Job| matches!(job.job_state(), JobState::Pending | JobState::Started);
    Ok(job.filter(running))
}

/// Makes or finds everything; says what it does.
pub async fn prepare(
    settings: &Demo,
    store: &Store,
    tools: &Tools,
    url: &str,
    detector: &str,
) -> anyhow::Result<Prepared> {
    let user = superuser(store).await?;
    let project = project(store, &user).await?;
    let found = captures::find(settings).await?;
    let station = captures::station(store, project, &found).await?;
    say(&found, &station.name);
    let (new, total) = store.upsert_captures(&station, &found.captures).await?;
    println!("Captures: {total} in the database, {new} of them new");

    let set = store
        .capture_set_by_name(project, SET)
        .await?
        .with_context(|| format!("the project has lost its capture set \"{SET}\""))?;
    let pipeline = register(store, tools, project, detector).await?;
    Ok(Prepared {
        url: url.to_owned(),
        api: Api::new(url, store.create_token(user.id, "demo").await?),
        project,
        station: station.id,
        set: set.id,
        pipeline,
    })
}

/// The demo's token ends with the demo.
pub async fn forget_token(store: &Store, prepared: &Prepared) -> anyhow::Result<()> {
    store.delete_token(&prepared.api.token).await?;
    Ok(())
}

fn say(found: &Found, station: &str) {
    println!(
        "Station \"{station}\": {} photographs in {}",
        found.captures.len(),
        found.folder.display()
    );
    if found.without_time > 0 {
        println!(
            "  {} have no time in their name: they belong to no session but are processed",
            found.without_time
        );
    }
}

/// The demo's superuser; its password is printed once, when it is made.
async fn superuser(store: &Store) -> anyhow::Result<User> {
    if let Some(user) = store.user_by_email(EMAIL).await? {
        return Ok(user);
    }
    let password = password();
    let user = store
        .create_user(NewUser {
            email: EMAIL.to_owned(),
            password: password.clone(),
            name: "Demo".to_owned(),
            is_staff: true,
            is_superuser: true,
        })
        .await?;
    println!("Superuser {EMAIL}, password {password}  (shown only now)");
    Ok(user)
}

/// 16 characters without those that are easily mistaken for others.
fn password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..16)
        .map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]))
        .collect()
}

async fn project(store: &Store, user: &User) -> anyhow::Result<i64> {
    if let Some(project) = store.project_by_name(PROJECT, user.id).await? {
        return Ok(project.id);
    }
    let project = store
        .create_project(NewProject {
            name: PROJECT.to_owned(),
            description: "What Hawkmoth finds on photographs of a lit sheet".to_owned(),
            owner_id: Some(user.id),
            ..NewProject::default()
        })
        .await?;
    // The detector is pushed to; without the flag, jobs are for remote workers.
    store
        .set_flag(project.id, "async_pipeline_workers", false)
        .await?;
    Ok(project.id)
}

/// Registers what the detector offers, as any processing service is registered.
async fn register(
    store: &Store,
    tools: &Tools,
    project: i64,
    endpoint: &str,
) -> anyhow::Result<i64> {
    let info = tools
        .services
        .info(endpoint)
        .await
        .context("the built-in detector does not answer")?;
    let description = info.description.as_deref().unwrap_or_default();
    let service = store
        .put_service(project, SERVICE, description, Some(endpoint))
        .await?;
    store
        .register_pipelines(service.id, &[project], &info.pipelines)
        .await?;
    let health = tools
        .services
        .ready(endpoint, std::time::Duration::from_secs(8))
        .await;
    store
        .service_seen(service.id, health.live, health.latency.as_secs_f64())
        .await?;
    let Some(offered) = info.pipelines.first() else {
        bail!("the built-in detector offers no pipeline");
    };
    let pipeline = store
        .pipeline_by_slug(&offered.slug)
        .await?
        .context("the detector's pipeline was not registered")?;
    let config = [("request_source_image_batch_size".to_owned(), json!(BATCH))];
    store
        .configure_pipeline(project, pipeline.id, config.into_iter().collect())
        .await?;
    println!(
        "Processing service \"{}\" with pipeline \"{}\"",
        SERVICE, pipeline.name
    );
    Ok(pipeline.id)
}

/// The HTTP API, as a program of the superuser's uses it.
pub struct Api {
    http: reqwest::Client,
    jobs: String,
    token: String,
}

impl Api {
    fn new(url: &str, token: String) -> Api {
        Api {
            http: reqwest::Client::new(),
            jobs: format!("{url}/api/v2/jobs/?start_now"),
            token,
        }
    }

    /// Makes a job and starts it; returns its id.
    pub async fn run_job(&self, request: &Value) -> anyhow::Result<i64> {
        let answer = self
            .http
            .post(&self.jobs)
            .header("Authorization", format!("Token {}", self.token))
            .json(request)
            .send()
            .await
            .context("the server does not answer")?;
        let status = answer.status();
        let body: Value = answer
            .json()
            .await
            .context("the server's answer is no JSON")?;
        match body.get("id").and_then(Value::as_i64) {
            Some(id) if status.is_success() => Ok(id),
            _ => bail!("the server refused the job: {status} {body}"),
        }
    }
}
