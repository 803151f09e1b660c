//! `hawkmoth detector …`: the built-in processing service, measured and made visible.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use detector::decode::decode;
use detector::evaluate;
use files::Files;

use crate::settings::{Evaluate, Preview};
use crate::startup;

/// Serves on a port of its own until Ctrl-C.
///
/// # Errors
/// Where the port is taken.
pub async fn serve(bind: SocketAddr) -> anyhow::Result<()> {
    let listener = startup::listen(bind).await?;
    let stop = startup::stop_at_signal();
    println!("The detector serves on {}/", startup::own_url(&listener)?);
    let stopped = async move { stop.cancelled().await };
    detector::serve(listener, Default::default(), stopped).await?;
    Ok(())
}

/// Prints recall, precision and seconds per photograph.
///
/// # Errors
/// Names the file that cannot be read.
pub async fn evaluate(what: &Evaluate) -> anyhow::Result<()> {
    match &what.annotations {
        Some(file) => {
            let annotations = evaluate::read(file)?;
            println!("{}", evaluate::evaluate(&what.captures, &annotations)?);
        }
        None => time(&what.captures).await?,
    }
    Ok(())
}

/// Prints how long each photograph of a folder takes, from bytes to boxes, on one core.
async fn time(folder: &Path) -> anyhow::Result<()> {
    let files = Files::local(folder)?;
    let mut listing = files.walk("", None).await?;
    let mut total = 0.0;
    while let Some(page) = listing.next(1000).await? {
        for file in page
            .iter()
            .filter(|f| domain::capture::is_image_key(&f.key))
        {
            let bytes = files.get(&file.key).await?;
            let start = Instant::now();
            let picture = decode(&bytes).with_context(|| file.key.clone())?;
            let found = detector::detect(&picture.pixels).len();
            let seconds = start.elapsed().as_secs_f64();
            total += seconds;
            println!("{seconds:>8.3} s  {found:>4} boxes  {}", file.key);
        }
    }
    println!("total {total:.3}");
    Ok(())
}

/// Draws what the detector finds on a photograph.
///
/// # Errors
/// Names the file that cannot be read or written.
pub fn preview(what: &Preview) -> anyhow::Result<()> {
    let shown = |file: &Path| file.display().to_string();
    let bytes = std::fs::read(&what.image)
        .with_context(|| format!("cannot read {}", shown(&what.image)))?;
    let picture = decode(&bytes).with_context(|| shown(&what.image))?;
    let mut pixels = picture.pixels;
    let found = detector::detect(&pixels);
    let insects = found.iter().filter(|d| d.verdict.is_insect()).count();
    detector::preview::draw(&mut pixels, &found);
    pixels
        .save_with_format(&what.output, image::ImageFormat::Png)
        .with_context(|| format!("cannot write {}", shown(&what.output)))?;
    println!(
        "{insects} insects and {} other things, drawn in {}",
        found.len() - insects,
        shown(&what.output)
    );
    Ok(())
}
