//! `hawkmoth bench lists`: makes a small and a large project on each database, asks for the first
//! page of every list in every order as its manager, and for the pages, over HTTP, and prints one
//! table.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use store::Store;
use store::testing::{self, plan::Watch};
use tokio_util::sync::CancellationToken;

mod addresses;
mod filling;
mod pages;
mod table;

use crate::settings::{BenchLists, Kept, Mail, Place};
use crate::startup;
use addresses::LISTS;
use filling::{EMAIL, fill, keeper, names};
use pages::PAGES;
use table::{Times, cell, milliseconds, number, print};

/// No list is asked for longer than this, though at least [`FEWEST`] times.
const PATIENCE: Duration = Duration::from_secs(10);
const FEWEST: usize = 30;

/// A database that is measured.
struct Database {
    /// "SQLite" or "PostgreSQL".
    kind: &'static str,
    captures: i64,
    url: Option<String>,
    /// On a PostgreSQL server: its name.
    name: String,
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
        (false, _) if settings.only_postgres => None,
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
        fill(&store, database.captures, settings.jobs).await?;
        eprintln!(
            "{} with {} captures filled in {:.0} s",
            database.kind,
            number(database.captures),
            begun.elapsed().as_secs_f64()
        );
    }
    Ok((place, store))
}

/// What stands for the words in braces.
async fn words(store: &Store, captures: i64) -> anyhow::Result<Vec<(&'static str, i64)>> {
    let capture = store.capture(captures / 2).await?;
    let project = capture.project_id.context("no project")?;
    let set = |name: &'static str| store.capture_set_by_name(project, name);
    let everything = set("Everything").await?.context("no capture set")?.id;
    let sample = set("Sample").await?.context("no capture set")?.id;
    let algorithm = store.algorithm_by_key("bench").await?;
    let pipeline = store.pipeline_by_slug("bench").await?;
    let mut words = vec![
        ("{project}", project),
        ("{capture}", capture.id),
        ("{station}", capture.station_id.context("no station")?),
        ("{session}", capture.session_id.context("no session")?),
        ("{everything}", everything),
        ("{sample}", sample),
        ("{algorithm}", algorithm.context("no algorithm")?.id),
        ("{pipeline}", pipeline.context("no pipeline")?.id),
        ("{list}", 1),
        ("{occurrence}", captures / 2),
        ("{job}", 25),
    ];
    for (word, rank) in [
        ("{order}", "ORDER"),
        ("{family}", "FAMILY"),
        ("{genus}", "GENUS"),
        ("{species}", "SPECIES"),
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
    let keeper = keeper(&store).await?;
    let keeper = store.create_token(keeper, "bench").await?;
    let watch = store.watch();
    let listener = startup::listen(([127, 0, 0, 1], 0).into()).await?;
    let url = startup::own_url(&listener)?;
    let alone = startup::Carriers::alone(&store);
    let kept = Kept::default();
    let tools = startup::tools(&place, &kept, &Mail::default(), store.clone(), alone, &url).await?;
    let state = startup::web_state(&tools, tools.store.clone());
    let stop = CancellationToken::new();
    let server = tokio::spawn(web::serve(listener, state, stop.clone()));
    let caller = Caller {
        http: reqwest::Client::new(),
        url,
        token,
        keeper,
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
    server.await?;
    let plans = plans(settings, database, &store, &all).await?;
    Ok((all, plans))
}

/// All addresses with their orders.
fn addresses(only: &str) -> Vec<String> {
    let mut all = Vec::new();
    for list in LISTS.iter().chain(PAGES) {
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
    /// Of a superuser, for the server's own pages.
    keeper: String,
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
        let token = match address.starts_with("/server") {
            true => &self.keeper,
            false => &self.token,
        };
        let begun = Instant::now();
        let answer = self
            .http
            .get(match address.starts_with('/') {
                true => format!("{}{address}", self.url),
                false => format!("{}/api/v2/{address}", self.url),
            })
            .header("Authorization", format!("Token {token}"))
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
