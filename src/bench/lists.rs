//! `hawkmoth bench lists`: makes a small and a large project on each database, asks for the first
//! page of every list in every order as its manager, over HTTP, and prints one table.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use domain::permission::Role;
use store::Store;
use store::capture_set::NewCaptureSet;
use store::job::NewJob;
use store::project::NewProject;
use store::testing::{self, large::Large, plan::Asked, plan::Watch};
use store::user::NewUser;
use tokio_util::sync::CancellationToken;

use super::addresses::LISTS;
use crate::settings::{BenchLists, Place};
use crate::startup;

/// What is slower than this is set in bold.
const SLOW: Duration = Duration::from_millis(50);
/// No list is asked for longer than this, though at least [`FEWEST`] times.
const PATIENCE: Duration = Duration::from_secs(10);
const FEWEST: usize = 30;

const EMAIL: &str = "manager@example.org";

/// A database that is measured.
struct Database {
    /// "SQLite" or "PostgreSQL".
    kind: &'static str,
    captures: i64,
    url: Option<String>,
    /// On a PostgreSQL server: its name.
    name: String,
}

/// What one address took.
#[derive(Clone)]
struct Times {
    first: Duration,
    middle: Duration,
    high: Duration,
    slowest: Option<Asked>,
}

/// Measures and prints.
///
/// # Errors
/// What cannot be made or reached, in one sentence.
pub async fn run(settings: &BenchLists) -> anyhow::Result<()> {
    let mut columns = Vec::new();
    let mut plans = Vec::new();
    for captures in &settings.captures {
        for postgres in [false, true] {
            let Some(database) = database(settings, *captures, postgres)? else {
                continue;
            };
            let (times, slow) = measured(settings, &database).await?;
            plans.extend(slow);
            columns.push((format!("{} {}", number(*captures), database.kind), times));
            if !settings.keep {
                remove(settings, &database);
            }
        }
    }
    print(&columns);
    for plan in plans {
        println!("\n{plan}");
    }
    Ok(())
}

fn database(
    settings: &BenchLists,
    captures: i64,
    postgres: bool,
) -> anyhow::Result<Option<Database>> {
    let name = format!("hawkmoth_bench_{captures}");
    Ok(match (postgres, &settings.postgres) {
        (false, _) => Some(Database {
            kind: "SQLite",
            captures,
            url: None,
            name,
        }),
        (true, Some(server)) => Some(Database {
            kind: "PostgreSQL",
            captures,
            url: Some(server.clone()),
            name,
        }),
        (true, None) => None,
    })
}

fn folder(settings: &BenchLists, database: &Database) -> std::path::PathBuf {
    let kind = database.kind.to_lowercase();
    settings.data.join(format!("{kind}-{}", database.captures))
}

fn remove(settings: &BenchLists, database: &Database) {
    std::fs::remove_dir_all(folder(settings, database)).ok();
    if let Some(server) = &database.url {
        testing::drop_beside(server, &database.name);
    }
}

/// Opens the database, filled: as an earlier run left it, or anew.
async fn filled(settings: &BenchLists, database: &Database) -> anyhow::Result<(Place, Store)> {
    let mut place = Place {
        data: folder(settings, database),
        database_url: None,
        secret_key: None,
    };
    if let Some(server) = &database.url {
        let (url, _) = testing::beside(server, &database.name).await?;
        place.database_url = Some(url);
    }
    let store = startup::open_and_migrate(&place).await?;
    if store.user_by_email(EMAIL).await?.is_none() {
        let begun = Instant::now();
        fill(&store, database.captures).await?;
        eprintln!(
            "{} with {} captures filled in {:.0} s",
            database.kind,
            number(database.captures),
            begun.elapsed().as_secs_f64()
        );
    }
    Ok((place, store))
}

async fn fill(store: &Store, captures: i64) -> anyhow::Result<()> {
    let user = NewUser {
        email: "other@example.org".to_owned(),
        password: "not used".to_owned(),
        name: "Bench".to_owned(),
        ..Default::default()
    };
    let user = store.create_user(user).await?;
    let new = NewProject {
        name: "Large".to_owned(),
        owner_id: Some(user.id),
        ..Default::default()
    };
    let project = store.create_project(new).await?.id;
    let config = serde_json::json!({
        "name": "Bench", "slug": "bench", "version": 1,
        "algorithms": [{"name": "bench", "key": "bench", "task_type": "detection"}],
    });
    let configs = [serde_json::from_value(config)?];
    store
        .register_pull_service(project, "Bench", &configs, true)
        .await?;
    let algorithm = store.algorithm_by_key("bench").await?;
    let algorithm = algorithm.context("the algorithm was not made")?.id;
    let mut sets = Vec::new();
    for name in ["Everything", "Sample"] {
        let set = NewCaptureSet {
            project_id: project,
            name: name.to_owned(),
            method: "manual".to_owned(),
            ..Default::default()
        };
        sets.push(store.create_capture_set(set).await?.id);
    }
    for n in 0..50 {
        let job = NewJob {
            name: format!("Job {n}"),
            project_id: project,
            kind: domain::job::POPULATE,
            capture_set_id: Some(sets[1]),
            ..Default::default()
        };
        store.create_job(job).await?;
    }
    let large = Large {
        project,
        user: user.id,
        algorithm,
        everything: sets[0],
        sample: sets[1],
        captures,
    };
    store.fill(large).await?;
    let list = store.create_taxa_list(project, "Some", "").await?.id;
    for (_, id) in names(store, "SPECIES", 50).await? {
        store.list_taxon(list, id).await?;
    }
    let manager = NewUser {
        email: EMAIL.to_owned(),
        password: "not used".to_owned(),
        name: "Manager".to_owned(),
        ..Default::default()
    };
    let manager = store.create_user(manager).await?;
    store
        .set_role(project, manager.id, Role::ProjectManager)
        .await?;
    Ok(())
}

/// The first names of this rank, in the order of their numbers.
async fn names(store: &Store, rank: &str, most: u64) -> anyhow::Result<Vec<(String, i64)>> {
    let filter = store::taxon::list::TaxonFilter {
        rank: Some(rank.to_owned()),
        order: vec![("id", false)],
        ..Default::default()
    };
    let (rows, _) = store.taxa_page(&filter, most, 0).await?;
    let pair = |row: store::taxon::list::SeenTaxon| (row.taxon.name, row.taxon.id);
    Ok(rows.into_iter().map(pair).collect())
}

/// What stands for the words in braces.
async fn words(store: &Store, captures: i64) -> anyhow::Result<Vec<(&'static str, i64)>> {
    let capture = store.capture(captures / 2).await?;
    let project = capture.project_id.context("no project")?;
    let set = |name: &'static str| store.capture_set_by_name(project, name);
    let everything = set("Everything").await?.context("no capture set")?.id;
    let sample = set("Sample").await?.context("no capture set")?.id;
    let algorithm = store.algorithm_by_key("bench").await?;
    let mut words = vec![
        ("{project}", project),
        ("{capture}", capture.id),
        ("{station}", capture.station_id.context("no station")?),
        ("{session}", capture.session_id.context("no session")?),
        ("{everything}", everything),
        ("{sample}", sample),
        ("{algorithm}", algorithm.context("no algorithm")?.id),
        ("{list}", 1),
    ];
    for (word, rank) in [
        ("{order}", "ORDER"),
        ("{family}", "FAMILY"),
        ("{genus}", "GENUS"),
    ] {
        let first = names(store, rank, 1).await?;
        words.push((word, first.first().context("no taxon")?.1));
    }
    Ok(words)
}

async fn measured(
    settings: &BenchLists,
    database: &Database,
) -> anyhow::Result<(Vec<(String, Times)>, Vec<String>)> {
    let (place, mut store) = filled(settings, database).await?;
    let words = words(&store, database.captures).await?;
    let user = store.user_by_email(EMAIL).await?.context("no manager")?;
    let token = store.create_token(user.id, "bench").await?;
    let watch = store.watch();
    let listener = startup::listen(([127, 0, 0, 1], 0).into()).await?;
    let url = startup::own_url(&listener)?;
    let tools = startup::tools(&place, store.clone(), &url)?;
    let state = startup::web_state(&place, &tools)?;
    let stop = CancellationToken::new();
    let server = tokio::spawn(web::serve(listener, state, stop.clone()));
    let caller = Caller {
        http: reqwest::Client::new(),
        url: format!("{url}/api/v2"),
        token,
        requests: settings.requests as usize,
        watch,
    };
    let mut all = Vec::new();
    for address in addresses(&settings.only) {
        let mut filled = address.clone();
        for (word, id) in &words {
            filled = filled.replace(word, &id.to_string());
        }
        let times = caller.times(&filled).await?;
        eprintln!("{:>9} {address}", cell(&times));
        all.push((address, times));
    }
    stop.cancel();
    server.await??;
    let plans = plans(settings, database, &store, &all).await?;
    Ok((all, plans))
}

/// All addresses with their orders.
fn addresses(only: &str) -> Vec<String> {
    let mut all = Vec::new();
    for list in LISTS {
        let join = if list.address.contains('?') { '&' } else { '?' };
        for order in list.orders {
            if order.is_empty() {
                all.push(list.address.to_owned());
                continue;
            }
            for towards in ["", "-"] {
                all.push(format!("{}{join}ordering={towards}{order}", list.address));
            }
        }
    }
    all.retain(|address| address.contains(only));
    all
}

/// Somebody who asks again and again.
struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
    requests: usize,
    watch: Watch,
}

impl Caller {
    async fn times(&self, address: &str) -> anyhow::Result<Times> {
        self.watch.slowest();
        let begun = Instant::now();
        let first = self.once(address).await?;
        let mut rest = Vec::with_capacity(self.requests);
        while rest.len() < self.requests {
            if begun.elapsed() > PATIENCE && rest.len() >= FEWEST {
                break;
            }
            if rest.len() + 1 == self.requests {
                self.watch.slowest();
            }
            rest.push(self.once(address).await?);
        }
        rest.sort_unstable();
        Ok(Times {
            first,
            middle: rest[rest.len() / 2],
            high: rest[(rest.len() * 99).div_ceil(100) - 1],
            slowest: self.watch.slowest(),
        })
    }

    async fn once(&self, address: &str) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let answer = self
            .http
            .get(format!("{}/{address}", self.url))
            .header("Authorization", format!("Token {}", self.token))
            .send()
            .await?;
        let status = answer.status();
        let body = answer.text().await?;
        let took = begun.elapsed();
        if !status.is_success() {
            bail!("{address} answers {status}: {body}");
        }
        Ok(took)
    }
}

/// How the database answers the slowest statements of the slowest lists.
async fn plans(
    settings: &BenchLists,
    database: &Database,
    store: &Store,
    all: &[(String, Times)],
) -> anyhow::Result<Vec<String>> {
    let mut slowest: Vec<&(String, Times)> = all.iter().collect();
    slowest.sort_by_key(|(_, times)| std::cmp::Reverse(times.middle));
    let mut plans = Vec::new();
    for (address, times) in slowest.into_iter().take(settings.plans) {
        if let Some(asked) = &times.slowest {
            let size = number(database.captures);
            let took = milliseconds(asked.took);
            let plan = store.plan(asked).await?;
            plans.push(format!(
                "{} {size}: {address}: {took} ms of it in\n{plan}",
                database.kind
            ));
        }
    }
    Ok(plans)
}

fn print(columns: &[(String, Vec<(String, Times)>)]) {
    let Some((_, first)) = columns.first() else {
        return;
    };
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    println!("| first page of | {} |", names.join(" | "));
    println!("|---|{}", "---:|".repeat(columns.len()));
    for (row, (address, _)) in first.iter().enumerate() {
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, times)| cell(&times[row].1))
            .collect();
        println!("| `{address}` | {} |", cells.join(" | "));
    }
}

/// Half of the requests and 99 of 100 took at most so many milliseconds; the very first.
fn cell(times: &Times) -> String {
    let bold = if times.high > SLOW { "**" } else { "" };
    format!(
        "{} / {bold}{}{bold} ({})",
        milliseconds(times.middle),
        milliseconds(times.high),
        milliseconds(times.first),
    )
}

fn milliseconds(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    match ms {
        ms if ms < 10.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

/// A number with commas.
fn number(n: i64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
