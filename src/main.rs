//! Hawkmoth: the job server for automated insect monitoring, one binary.
//! This crate wires the others together and owns `main`; the rules are elsewhere.

mod bench;
mod client;
mod commands;
mod copy;
mod course;
mod demo;
mod detect;
mod ending;
mod health;
mod import;
mod people;
mod serve;
mod settings;
mod startup;
mod table;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;
use rest::Zone;
use settings::{Command, DetectorCommand, Hawkmoth, ImportCommand, UserCommand};

/// Requests allocate many small things in several threads, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Hawkmoth::parse();
    let zone = match startup::zone(&arguments.command) {
        Ok(zone) => zone,
        Err(error) => return failed(&error),
    };
    // One cryptography provider for all TLS; a second call would only say that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let traces = match telemetry::start(&arguments.telemetry, zone) {
        Ok(traces) => traces,
        Err(error) => return failed(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::anyhow!(error)),
    };
    let ended = runtime.block_on(run(arguments.command, zone));
    // Out of the runtime, for it waits.
    if let Some(traces) = traces {
        traces.end();
    }
    match ended {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

async fn run(command: Command, zone: Zone) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(demo) => return demo::run(demo, zone).await,
        Command::Serve(serve) => serve::serve(serve, zone).await?,
        Command::Web(web) => serve::web(web, zone).await?,
        Command::Work(work) => serve::work(work, zone).await?,
        Command::Health(at) => health::ask(&at).await?,
        Command::Migrate(place) => startup::migrate(&place).await?,
        Command::Copy(what) => copy::run(what).await?,
        Command::Import(ImportCommand::Antenna(what)) => import::antenna(what).await?,
        Command::Schema => println!("{:#}", web::openapi()),
        Command::User(UserCommand::Create(new)) => people::create(new).await?,
        Command::User(UserCommand::Token(of)) => people::token(of).await?,
        Command::Jobs(what) => return commands::jobs::run(what).await,
        Command::Captures(what) => return commands::captures::run(what).await,
        Command::Export(what) => return commands::export::run(what).await,
        Command::Tokens(what) => return commands::tokens::run(what).await,
        Command::Login(what) => commands::login::login(what).await?,
        Command::Logout => commands::login::logout().await?,
        Command::Completions(what) => commands::shell::completions(&what),
        Command::Man(what) => commands::shell::man(&what)?,
        Command::Bench(what) => bench::run(what).await?,
        Command::Detector(detector) => match detector.command {
            None => detect::serve(detector.bind).await?,
            Some(DetectorCommand::Evaluate(what)) => detect::evaluate(&what).await?,
            Some(DetectorCommand::Preview(what)) => detect::preview(&what)?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// One sentence on standard error, the causes joined by colons.
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("hawkmoth: {error:#}");
    ExitCode::FAILURE
}
