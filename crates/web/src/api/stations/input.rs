//! Reading a station from a body: JSON or a form with a picture. A row that the body names must
//! exist and belong to the same project, else it counts as not there.

use domain::permission::ProjectFacts;
use rest::{ApiResult, Form, How, JsonBody};
use store::place::PlaceKind;
use store::project::Project;
use store::station::StationChange;

use super::fields::FIELDS;
use crate::call::{Call, found};
use crate::pictures::{self, Sent};

/// A sound body.
pub struct Read {
    /// The project that it names, or the one that the station is in.
    pub project: Option<Project>,
    /// Values for the row, without the picture.
    pub change: StationChange,
    /// The picture.
    pub image: Sent,
}

/// Reads a body; `of` is the project of the station that is changed.
pub async fn read(call: &Call, body: JsonBody, how: How, of: Option<&Project>) -> ApiResult<Read> {
    let mut form = Form::read(FIELDS, body, how)?;
    let project = project(call, &mut form, of).await?;
    let home = project.as_ref().map(|project| project.id);
    for (field, kind) in [
        ("device_id", PlaceKind::Device),
        ("research_site_id", PlaceKind::Site),
    ] {
        if let Some(id) = form.integer(field) {
            let place = found(call.store().place(kind, id).await)?;
            if place.is_none_or(|place| home.is_some() && place.project_id != home) {
                form.missing(field, id);
            }
        }
    }
    if let Some(id) = form.integer("data_source_id") {
        let source = found(call.store().source(id).await)?;
        if source.is_none_or(|source| home.is_some() && source.project_id != home) {
            form.missing("data_source_id", id);
        }
    }
    let image = pictures::read(&mut form, "image").await?;
    form.finish()?;
    // A text without anything in it is none: a pattern or folder of no letters says nothing.
    let text = |form: &Form, name: &str| form.text(name).filter(|text| !text.is_empty());
    Ok(Read {
        project,
        change: StationChange {
            name: form.text("name"),
            description: form.text("description"),
            image: None,
            latitude: form.change("latitude", Form::number),
            longitude: form.change("longitude", Form::number),
            site_id: form.change("research_site_id", Form::integer),
            device_id: form.change("device_id", Form::integer),
            source_id: form.change("data_source_id", Form::integer),
            source_subdir: form.change("data_source_subdir", text),
            source_regex: form.change("data_source_regex", text),
        },
        image,
    })
}

/// The project that a body names. A station stays in its project.
async fn project(call: &Call, form: &mut Form, of: Option<&Project>) -> ApiResult<Option<Project>> {
    let named = form.integer("project_id");
    if let Some(of) = of {
        if named.is_some_and(|id| id != of.id) {
            form.wrong("project_id", "It cannot be moved to another project.");
        }
        return Ok(Some(of.clone()));
    }
    let Some(id) = named else { return Ok(None) };
    let project = found(call.store().project(id).await)?;
    if project.is_none() {
        form.missing("project_id", id);
    }
    Ok(project)
}

/// What the rules need to know of a project that was read.
pub async fn facts(call: &Call, project: &Project) -> ApiResult<ProjectFacts> {
    call.who.facts(&call.state, project).await
}
