//! The figures of a run, as tables that fit into the documents. Nothing of it is asserted.

use std::time::Duration;

use super::blows::{Blow, Course, Struck};
use super::world::Cluster;
use crate::chaos::process::Process;

pub fn print(cluster: &Cluster, course: &Course) {
    let [handed, again] = cluster.handed;
    let size = cluster.size;
    let images = size.jobs * size.images;
    let took = course.took.as_secs_f64();
    let kills = |all: &[Process]| all.iter().map(|process| process.kills).sum::<u64>();
    println!("\n| | |\n|---|---|");
    println!(
        "| jobs × images, pull clients | {} × {}, {} |",
        size.jobs, size.images, size.clients
    );
    println!("| images saved, each once | {images} |");
    println!(
        "| from the first start to the last end | {took:.0} s, {:.1} images/s |",
        images as f64 / took
    );
    println!(
        "| killed: web, work, clients, NATS; PostgreSQL stopped | {}, {}, {}, {}; {} |",
        kills(&cluster.web),
        kills(&cluster.work),
        kills(&cluster.clients),
        cluster.nats.kills,
        cluster.postgres.stops,
    );
    println!("| hand-outs, those of them that were not the first | {handed:.0}, {again:.0} |");
    println!(
        "| answers 5xx that clients saw, requests without an answer | {}, {} |",
        cluster.told("a server answered with a fault"),
        cluster.told("a server did not answer"),
    );
    println!(
        "\n| taken away | for | saved meanwhile | next image saved after | first one of the job just started after |\n|---|---|---|---|---|"
    );
    for struck in &course.struck {
        line(struck);
    }
    println!("\n| process | most memory |\n|---|---|");
    for (name, peak) in &cluster.peaks {
        println!("| {name} | {:.0} MB |", *peak as f64 / 1024.0);
    }
    println!();
}

fn line(struck: &Struck) {
    let what = match struck.blow {
        Blow::Web => "a web process",
        Blow::Work => "a worker process",
        Blow::Nats => "NATS",
        Blow::Postgres => "PostgreSQL",
        Blow::Workers => "both worker processes and all clients",
    };
    let after = |time: Option<Duration>| {
        time.map_or("–".to_owned(), |time| {
            format!("{:.1} s", time.as_secs_f64())
        })
    };
    let meanwhile = struck.meanwhile.map_or("–".to_owned(), |n| n.to_string());
    println!(
        "| {what} | {:.1} s | {meanwhile} | {} | {} |",
        struck.down.as_secs_f64(),
        after(struck.next),
        after(struck.started)
    );
}
