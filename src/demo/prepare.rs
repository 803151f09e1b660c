//! What the demo needs before its jobs can run: a superuser, a project, a station with its
//! captures, and the detector registered through its own `/info`. Everything is looked for
//! first, so a second run makes nothing twice.

use anyhow::{Context, bail};
use detector::scene::Scene;
use domain::permission::Permit;
use domain::state::JobState;
use jobs::Tools;
use serde_json::{Value, json};
use store::Store;
use store::job::Job;
use store::project::{NewProject, Project, ProjectChange};
use store::user::{NewUser, User};

use super::api::Api;
use super::captures::{self, Found};
use super::pages;
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
    /// Stations with what was drawn of them; nothing where a folder was named.
    pub stations: Vec<(i64, Vec<Scene>)>,
    pub set: i64,
    pub pipeline: i64,
}

impl Prepared {
    /// Jobs that come before the detection.
    pub fn groundwork(&self) -> Vec<Value> {
        let regroup = self.stations.iter().map(|(station, _)| {
            json!({
                "name": format!("Regroup sessions for deployment {station}"),
                "delay": 0,
                "project_id": self.project,
                "deployment_id": station,
                "job_type_key": domain::job::REGROUP,
            })
        });
        let populate = json!({
            "name": format!("Populate captures for capture set {}", self.set),
            "delay": 0,
            "project_id": self.project,
            "source_image_collection_id": self.set,
            "job_type_key": domain::job::POPULATE,
        });
        regroup.chain([populate]).collect()
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
    pages::write(store).await?;
    let user = superuser(store).await?;
    let project = project(store, &user).await?;
    let mut stations = Vec::new();
    let (mut new, mut total) = (0, 0);
    for found in captures::find(settings).await? {
        let station = captures::station(store, project.id, &found).await?;
        say(&found, &station.name);
        let (added, known) = store.upsert_captures(&station, &found.captures).await?;
        (new, total) = (new + added, total + known);
        stations.push((station.id, found.scenes));
    }
    println!("Captures: {total} in the database, {new} of them new");

    let set = store
        .capture_set_by_name(project.id, SET)
        .await?
        .with_context(|| format!("the project has lost its capture set \"{SET}\""))?;
    let pipeline = register(store, tools, project.id, detector).await?;
    if project.default_pipeline_id.is_none() {
        let default = ProjectChange {
            default_pipeline_id: Some(Some(pipeline)),
            ..Default::default()
        };
        let permit = Permit::BY_PROGRAM;
        store.change_project(permit, project.id, default).await?;
    }
    Ok(Prepared {
        url: url.to_owned(),
        api: Api::new(url, store.create_token(user.id, "demo").await?),
        project: project.id,
        stations,
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
    let (user, password) = person(store, EMAIL, "Demo", true).await?;
    println!("Superuser {EMAIL}, password {password}  (passwords are shown only now)");
    Ok(user)
}

/// Makes somebody with a password that nobody else knows.
pub async fn person(
    store: &Store,
    email: &str,
    name: &str,
    superuser: bool,
) -> anyhow::Result<(User, String)> {
    let password = password();
    let new = NewUser {
        email: email.to_owned(),
        password: password.clone(),
        name: name.to_owned(),
        is_staff: superuser,
        is_superuser: superuser,
    };
    Ok((store.create_user(new).await?, password))
}

/// 16 characters without those that are easily mistaken for others.
fn password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..16)
        .map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]))
        .collect()
}

async fn project(store: &Store, user: &User) -> anyhow::Result<Project> {
    if let Some(project) = store.project_by_name(PROJECT, user.id).await? {
        return Ok(project);
    }
    let project = store
        .create_project(NewProject {
            name: PROJECT.to_owned(),
            description: "What Hawkmoth finds on photographs of a lit sheet".to_owned(),
            owner_id: Some(user.id),
            ..NewProject::default()
        })
        .await?;
    // The detector is pushed to; with the first flag, jobs would be for remote workers.
    for (flag, on) in [("async_pipeline_workers", false), ("tags", true)] {
        store.set_flag(project.id, flag, on).await?;
    }
    Ok(project)
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
    jobs::health::check(tools, &service).await?;
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
