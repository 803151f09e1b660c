//! What is measured: a server in a process of its own, with a project, a pipeline that remote
//! workers have registered, and people with tokens. Everything is made as any client would make
//! it, except captures, which are written at once.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::permission::Role;
use reqwest::Client;
use serde_json::{Value, json};
use store::Store;
use store::capture::NewCapture;
use store::job::Job;
use store::project::NewProject;
use store::station::{NewStation, Station};
use store::user::NewUser;

use super::cost::Cost;
use crate::settings::{Ground, Place};
use crate::startup;

/// Slug of the pipeline.
pub const PIPELINE: &str = "bench";

/// A server and what is on it.
pub struct Farm {
    pub store: Store,
    /// What answers requests, and what only runs jobs.
    webs: Vec<Process>,
    works: Vec<Process>,
    pub project: i64,
    pub pipeline: i64,
    /// Token of a worker of the project.
    pub worker: String,
    admin: String,
    http: Client,
    folder: PathBuf,
    /// The NATS server with the tasks and the prefix of their names.
    nats: Option<(String, String)>,
    keep: bool,
}

impl Farm {
    /// Makes all of it in a new folder.
    ///
    /// # Errors
    /// Where the folder is there already, or something cannot be made.
    pub async fn new(ground: &Ground) -> anyhow::Result<Farm> {
        let data = &ground.data;
        ensure!(
            !data.exists(),
            "{} is there already: name another folder with --data",
            data.display()
        );
        let place = Place {
            data: data.clone(),
            database_url: ground.database_url.clone(),
            secret_key: None,
        };
        ensure!(
            ground.processes == 1 || place.database_url.is_some(),
            "several processes need --database-url"
        );
        let store = startup::open_store(&place).await?;
        // Another run's stream would be another installation's.
        let prefix = || format!("hawkmoth-bench-{:08x}", rand::random::<u32>());
        let nats = ground.nats_url.clone().map(|url| (url, prefix()));
        // Not the address, which may hold a password.
        if let Some((_, prefix)) = &nats {
            println!("tasks in JetStream    under {prefix}");
        }
        let (webs, works) = processes(&place, ground.processes, nats.as_ref()).await?;
        let owner = person(&store, "bench@example.org", true).await?;
        let worker = person(&store, "worker@example.org", false).await?;
        let project = store
            .create_project(NewProject {
                name: "Bench".to_owned(),
                owner_id: Some(owner),
                ..Default::default()
            })
            .await?
            .id;
        store.set_role(project, worker, Role::Worker).await?;
        let mut farm = Farm {
            admin: store.create_token(owner, "bench").await?,
            worker: store.create_token(worker, "bench").await?,
            store,
            webs,
            works,
            project,
            pipeline: 0,
            http: Client::new(),
            folder: data.clone(),
            nats,
            keep: ground.keep,
        };
        let path = format!("projects/{project}/pipelines/");
        farm.post(&path, &registration()).await?;
        let pipeline = farm.store.pipeline_by_slug(PIPELINE).await?;
        farm.pipeline = pipeline.context("the pipeline was not registered")?.id;
        Ok(farm)
    }

    /// The address of one of the processes that answer: they take turns.
    pub fn url(&self, turn: usize) -> &str {
        &self.webs[turn % self.webs.len()].url
    }

    /// The numbers of all processes.
    pub fn processes(&self) -> Vec<u32> {
        let all = self.webs.iter().chain(&self.works);
        all.map(Process::number).collect()
    }

    /// Prints the most that each process has ever had in memory.
    pub fn say_memory(&self) {
        for (what, processes) in [("web", &self.webs), ("work", &self.works)] {
            let each = processes.iter().filter_map(|p| Cost::of(p.number()));
            let each: Vec<String> = each
                .map(|cost| format!("{:.0}", cost.peak as f64 / 1e6))
                .collect();
            if !each.is_empty() {
                println!("{what:<20} at most {} MB", each.join(" "));
            }
        }
    }

    /// Where photographs may be written.
    pub fn photographs(&self) -> PathBuf {
        self.folder.join("photographs")
    }

    /// A station with these captures, whose photographs lie in the folder.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn station(
        &self,
        name: &str,
        folder: &Path,
        captures: impl Iterator<Item = NewCapture>,
    ) -> anyhow::Result<Station> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let folder = folder
            .to_str()
            .context("the folder's path is not valid UTF-8")?;
        let source = self.store.create_local_source(self.project, name, folder);
        let source = source.await?.id;
        let station = self
            .store
            .create_station(NewStation {
                project_id: self.project,
                name: name.to_owned(),
                source_id: Some(source),
                ..Default::default()
            })
            .await?;
        let mut page = Vec::new();
        let mut captures = captures.peekable();
        while captures.peek().is_some() {
            page.clear();
            page.extend(captures.by_ref().take(10_000));
            self.store.upsert_captures(&station, &page).await?;
        }
        Ok(station)
    }

    /// Starts a job over a station, and waits until all its images can be fetched.
    ///
    /// # Errors
    /// Where the server refuses it, or it ends before.
    pub async fn job(&self, station: &Station) -> anyhow::Result<Job> {
        let request = json!({
            "name": station.name, "delay": 0, "shuffle": false, "project_id": self.project,
            "pipeline_id": self.pipeline, "deployment_id": station.id,
        });
        let made = self.post("jobs/?start_now=1", &request).await?;
        let id = made["id"].as_i64().context("the job has no id")?;
        loop {
            let job = self.store.job(id).await?;
            ensure!(
                !job.job_state().is_final(),
                "the job ended as {}",
                job.state
            );
            if job.total.is_some() && job.owner.is_none() {
                return Ok(job);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The job once it has ended.
    ///
    /// # Errors
    /// Where it does not end within a minute.
    pub async fn ended(&self, id: i64) -> anyhow::Result<Job> {
        for _ in 0..1200 {
            let job = self.store.job(id).await?;
            if job.job_state().is_final() {
                return Ok(job);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the job does not end")
    }

    /// Asks the server as the superuser.
    ///
    /// # Errors
    /// What it refuses.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let call = self.http.post(format!("{}/api/v2/{path}", self.url(0)));
        let call = call.header("Authorization", format!("Token {}", self.admin));
        let answer = call
            .json(body)
            .send()
            .await
            .context("the server does not answer")?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "the server answers {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Ends the server and removes what was made.
    ///
    /// # Errors
    /// Where the tasks are still on the NATS server.
    pub async fn remove(self) -> anyhow::Result<()> {
        let Farm {
            folder,
            nats,
            keep,
            webs,
            works,
            ..
        } = self;
        drop((webs, works));
        if keep {
            return Ok(());
        }
        std::fs::remove_dir_all(folder).ok();
        if let Some((url, prefix)) = nats {
            queue::Nats::connect(&url, &prefix).await?.forget().await?;
        }
        Ok(())
    }
}

async fn person(store: &Store, email: &str, is_superuser: bool) -> anyhow::Result<i64> {
    let new = NewUser {
        email: email.to_owned(),
        password: format!("{:032x}", rand::random::<u128>()),
        is_superuser,
        is_staff: is_superuser,
        ..Default::default()
    };
    Ok(store.create_user(new).await?.id)
}

/// What a worker says when it registers: a detector and a classifier of two classes.
fn registration() -> Value {
    json!({
        "processing_service_name": "Bench (loopback)",
        "pipelines": [{
            "name": "Bench", "slug": PIPELINE, "version": 1, "description": "",
            "algorithms": [
                {"name": "Boxes", "key": "boxes", "task_type": "localization",
                 "category_map": {"data": [], "labels": []}},
                {"name": "Names", "key": "names", "task_type": "classification",
                 "category_map": {"data": [{"index": 0, "label": "Vanessa atalanta"},
                                           {"index": 1, "label": "Vanessa cardui"}],
                                  "labels": ["Vanessa atalanta", "Vanessa cardui"]}},
            ],
        }],
    })
}

/// Starts what answers and what runs jobs.
async fn processes(
    place: &Place,
    many: u32,
    nats: Option<&(String, String)>,
) -> anyhow::Result<(Vec<Process>, Vec<Process>)> {
    if many == 1 {
        let serve = Process::start("serve", place, nats, &[]).await?;
        return Ok((vec![serve], Vec::new()));
    }
    let (mut webs, mut works) = (Vec::new(), Vec::new());
    for _ in 0..many {
        webs.push(Process::start("web", place, nats, &[]).await?);
        let public = ["--public-url", webs[0].url.as_str()];
        works.push(Process::start("work", place, nats, &public).await?);
    }
    Ok((webs, works))
}

/// A process of the program; dropped, it is killed.
struct Process {
    /// Where it answers, if it does.
    url: String,
    child: Child,
}

impl Process {
    async fn start(
        what: &str,
        place: &Place,
        nats: Option<&(String, String)>,
        more: &[&str],
    ) -> anyhow::Result<Process> {
        let mut command = Command::new(std::env::current_exe()?);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HAWKMOTH_")) {
            command.env_remove(name);
        }
        command.arg(what).arg("--data").arg(&place.data).args(more);
        if what != "work" {
            command.args(["--bind", "127.0.0.1:0"]);
        }
        if let Some(url) = &place.database_url {
            command.args(["--database-url", url]);
        }
        if let Some((url, prefix)) = nats {
            command.args(["--nats-url", url, "--nats-prefix", prefix]);
        }
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.context("the server cannot be started")?;
        let output = child.stdout.take().context("the server says nothing")?;
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            std::io::BufReader::new(output)
                .read_line(&mut line)
                .map(|_| line)
        });
        let line = line.await??;
        let process = Process {
            url: line
                .trim()
                .rsplit(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
            child,
        };
        let begun = process.url.starts_with("http") || (what == "work" && !line.is_empty());
        ensure!(begun, "the server does not start");
        Ok(process)
    }

    fn number(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
