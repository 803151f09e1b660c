//! From settings to a running program: the data folder, the database, the secret key, a
//! listening port, and the word to stop. Everything that can be wrong at start is said here, in
//! one sentence each.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use files::{Files, Home, Links, Signer, Vault};
use jobs::{Pace, Tools};
use queue::{Embedded, EventBus, LocalBus, SharedBus, Streamed, TaskQueue};
use rest::Zone;
use services::ServiceClient;
use store::Store;
use telling::Teller;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::settings::{Command, Kept, Leases, Limits, Mail, Nats, Place, Schema, Traces};

/// The time zone of a command; UTC for those that tell no times.
///
/// # Errors
/// Where no zone has that name.
pub fn zone(command: &Command) -> anyhow::Result<Zone> {
    let clock = command.clock();
    Ok(clock.map_or(Ok(Zone::default()), |clock| clock.time_zone.parse())?)
}

/// To whom lines of logs are linked, where that is set.
pub fn linking(traces: &Traces) -> Option<web::Linking> {
    let (entity, name) = traces
        .new_relic_entity
        .as_ref()
        .zip(traces.new_relic_name.as_ref())?;
    Some(web::Linking::new(entity, &host(), name))
}

/// The name of this machine.
fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| std::env::var("HOSTNAME").ok());
    let named = named.map(|name| name.trim().to_owned());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Makes the data folder where it is missing.
fn make_folder(place: &Place) -> anyhow::Result<()> {
    std::fs::create_dir_all(&place.data)
        .with_context(|| format!("cannot make the data folder {}", place.data.display()))
}

/// Opens the database.
async fn open(place: &Place) -> anyhow::Result<Store> {
    Ok(Store::open(&address(place)?).await?)
}

/// The address of the database of the data folder, or of the one that is named.
fn address(place: &Place) -> anyhow::Result<String> {
    Ok(match &place.database_url {
        Some(url) => url.clone(),
        None => {
            make_folder(place)?;
            let folder = place
                .data
                .canonicalize()
                .with_context(|| format!("cannot read the data folder {}", place.data.display()))?;
            let file = folder.join("hawkmoth.db");
            let Some(file) = file.to_str() else {
                bail!("the path of the data folder is not valid UTF-8");
            };
            format!("sqlite://{}", file.replace('%', "%25").replace('?', "%3F"))
        }
    })
}

/// Opens the database and makes sure that its schema fits: a new database gets it, one of
/// another version is refused. Whoever finds another process at it waits for that.
///
/// # Errors
/// One sentence that says what is wrong and what to do.
pub async fn open_store(place: &Place) -> anyhow::Result<Store> {
    let store = open(place).await?;
    if store.is_new().await? {
        store.migrate().await?;
    } else {
        store.settled().await?;
        store.check_schema().await?;
    }
    Ok(store)
}

/// As [`open_store`], for processes that run on: a database that is behind is brought to this
/// version where that is set, and one into which rows are still to come is refused.
///
/// # Errors
/// As [`open_store`].
pub async fn open_to_run(place: &Place, schema: Schema) -> anyhow::Result<Store> {
    let store = match schema.migrate {
        true => open_and_migrate(place).await?,
        false => open_store(place).await?,
    };
    store.check_whole().await?;
    Ok(store)
}

/// Opens the database and brings it to this version, whatever older one it had.
///
/// # Errors
/// As [`open_store`].
pub async fn open_and_migrate(place: &Place) -> anyhow::Result<Store> {
    let store = open(place).await?;
    store.migrate().await?;
    Ok(store)
}

/// `hawkmoth migrate`.
///
/// # Errors
/// As [`open_store`].
pub async fn migrate(place: &Place) -> anyhow::Result<()> {
    let store = open(place).await?;
    match store.migrate().await? {
        0 => println!("The database is up to date."),
        n => println!("Applied {n} changes to the database."),
    }
    Ok(())
}

/// The key that signs links: given, or kept in the data folder, where it is made only if this
/// machine keeps something else of the installation too. `files` is where files are kept, if that is
/// known and not in the data folder.
fn secret_key(place: &Place, files: Option<&Home>) -> anyhow::Result<[u8; 32]> {
    if let Some(hex) = &place.secret_key {
        return files::parse_key(hex)
            .context("HAWKMOTH_SECRET_KEY must be 64 hexadecimal digits (32 bytes)");
    }
    let file = place.data.join("secret.key");
    let unusable = || format!("cannot use the key file {}", file.display());
    let url = place.database_url.as_deref();
    let here = files.is_none() || url.is_none_or(|url| url.starts_with("sqlite:"));
    if here {
        make_folder(place)?;
        return files::load_or_create_key(&file).with_context(unusable);
    }
    files::load_key(&file).with_context(unusable)?.context(
        "database and files are elsewhere, so each machine would make a key of its own and refuse \
         the links of the others: give all of them the same with HAWKMOTH_SECRET_KEY, 64 \
         hexadecimal digits such as `openssl rand -hex 32` prints",
    )
}

/// What seals the keys of buckets: under the key of this installation.
///
/// # Errors
/// Where that key cannot be had.
pub fn vault(place: &Place) -> anyhow::Result<Vault> {
    Ok(Vault::new(&secret_key(place, None)?))
}

/// The database for requests, whose statements are bounded.
///
/// # Errors
/// As [`open_store`].
pub async fn bounded(place: &Place, store: &Store, limits: &Limits) -> anyhow::Result<Store> {
    Ok(store.bounded(&address(place)?, limits.statement()).await?)
}

/// Where tasks wait and events go.
pub struct Carriers {
    queue: Arc<dyn TaskQueue>,
    bus: Arc<dyn EventBus>,
}

impl Carriers {
    /// Tasks in the database, events within this process.
    pub fn alone(store: &Store) -> Carriers {
        Carriers {
            queue: Arc::new(Embedded::new(store.clone())),
            bus: Arc::new(LocalBus::new()),
        }
    }
}

/// Chooses where tasks wait and events go: both in NATS where that is given, else tasks in the
/// database, and events over it where other processes can hear them there.
///
/// NATS need not answer: pages, results and push jobs do without it, and everything else waits as it
/// does when NATS goes away later.
///
/// # Errors
/// Where the settings of NATS cannot be used, or it holds another installation's tasks under this
/// prefix.
pub async fn carriers(
    place: &Place,
    kept: &Kept,
    store: &Store,
    nats: &Nats,
    leases: Leases,
) -> anyhow::Result<Carriers> {
    if let Some(url) = &nats.nats_url {
        let nats = queue::Nats::reach(url, &nats.nats_prefix, &nats.access()).await?;
        let owner = files::fingerprint(&secret_key(place, kept.files.as_ref())?);
        let wait = Duration::from_secs(leases.lease_seconds.into());
        let bus = SharedBus::over_nats(&nats).await?;
        let queue = Streamed::open(store.clone(), nats, &owner, wait).await?;
        return Ok(Carriers {
            queue: Arc::new(queue),
            bus: Arc::new(bus),
        });
    }
    let alone = Carriers::alone(store);
    if store.is_sqlite() {
        return Ok(alone);
    }
    let bus = SharedBus::over_postgres(store.clone()).await?;
    Ok(Carriers {
        bus: Arc::new(bus),
        ..alone
    })
}

/// Everything that jobs and pages work with.
///
/// # Errors
/// Where the secret key, the place for files or the HTTP client cannot be had.
pub async fn tools(
    place: &Place,
    kept: &Kept,
    mail: &Mail,
    store: Store,
    carriers: Carriers,
    public_url: &str,
) -> anyhow::Result<Tools> {
    let signer = Signer::new(secret_key(place, kept.files.as_ref())?, "/media");
    let links = Links::new(signer, public_url);
    let teller = Teller::new(links.clone(), mail.mailer()?);
    Ok(Tools {
        teller: teller.context("cannot start the HTTP client")?,
        queue: carriers.queue,
        bus: carriers.bus,
        links,
        files: files_of(place, kept).await?,
        zone: Zone::default(),
        services: ServiceClient::new(services::BATCH).context("cannot start the HTTP client")?,
        pace: Pace::default(),
        store,
    })
}

/// The files that the server itself keeps.
async fn files_of(place: &Place, kept: &Kept) -> anyhow::Result<Files> {
    let home = kept.files.clone();
    let home = home.unwrap_or_else(|| Home::Folder(place.data.join("files")));
    let files = home.open(&kept.opened.keys()).await?;
    let whole = files.check_whole().await;
    whole.map_err(|error| anyhow::anyhow!("files cannot be kept in {home}: {error}"))?;
    Ok(files)
}

/// What the pages work with, over this store.
pub fn web_state(tools: &Tools, store: Store) -> web::AppState {
    let state = web::AppState::new(
        store,
        tools.bus.clone(),
        tools.files.clone(),
        tools.links.clone(),
        tools.services.clone(),
        tools.teller.clone(),
    );
    state.leasing(tools.queue.clone(), tools.pace.leases)
}

/// The limits that this machine allows: a quarter of the files that the process may have open is
/// left for the database, the storages and the services, whoever else is connected.
pub fn within_machine(mut limits: web::Limits) -> web::Limits {
    let wanted = u64::try_from(limits.connections).unwrap_or(u64::MAX);
    match rlimit::increase_nofile_limit(wanted.saturating_mul(2)) {
        Ok(files) => {
            let room = usize::try_from(files - files / 4).unwrap_or(usize::MAX);
            if room < limits.connections {
                tracing::warn!(
                    files,
                    "fewer connections than set: too few files may be open"
                );
                limits.connections = room;
            }
        }
        Err(error) => tracing::warn!(%error, "how many files may be open is not known"),
    }
    limits
}

/// The folder of a built web client.
///
/// # Errors
/// Where it holds no first page.
pub fn client(folder: &Path) -> anyhow::Result<&Path> {
    if !folder.join("index.html").is_file() {
        bail!(
            "{} holds no index.html: --ui needs the folder that the web client was built into",
            folder.display()
        );
    }
    Ok(folder)
}

/// Starts to listen.
///
/// # Errors
/// Where the address is taken or not this machine's.
pub async fn listen(bind: SocketAddr) -> anyhow::Result<TcpListener> {
    listen_at(bind, "--bind").await
}

/// The same for the address of another setting.
///
/// # Errors
/// As [`listen`].
pub async fn listen_at(bind: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(bind).await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            anyhow::anyhow!(
                "{bind} is in use: another program listens there; choose another with {setting}"
            )
        } else {
            anyhow::anyhow!("cannot listen on {bind}: {error}")
        }
    })
}

/// The address under which a listener is reached from this machine.
///
/// # Errors
/// Where the listener has lost its address.
pub fn own_url(listener: &TcpListener) -> anyhow::Result<String> {
    let address = listener
        .local_addr()
        .context("the listener has no address")?;
    Ok(url_at(address))
}

/// The same of who listens at this address.
pub fn url_at(address: SocketAddr) -> String {
    let host = match address {
        SocketAddr::V4(a) if a.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(a) if a.ip().is_unspecified() => "[::1]".to_owned(),
        SocketAddr::V6(a) => format!("[{}]", a.ip()),
        SocketAddr::V4(a) => a.ip().to_string(),
    };
    format!("http://{host}:{}", address.port())
}

/// Fires at Ctrl-C and SIGTERM; the second Ctrl-C ends the program at once.
pub fn stop_at_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let fire = stop.clone();
    tokio::spawn(async move {
        interrupted().await;
        fire.cancel();
        interrupted().await;
        std::process::exit(130);
    });
    stop
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn interrupted() {
    let ctrl_c = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ctrl_c => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = ctrl_c.await;
}
