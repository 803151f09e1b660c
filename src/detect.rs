//! `hawkmoth detector …`: the built-in processing service, measured and made visible.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use detector::decode::decode;
use detector::evaluate;

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
pub fn evaluate(what: &Evaluate) -> anyhow::Result<()> {
    let annotations = evaluate::read(&what.annotations)?;
    println!("{}", evaluate::evaluate(&what.captures, &annotations)?);
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
