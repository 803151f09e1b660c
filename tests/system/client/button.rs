//! Which buttons the web client shows to whom (`ui.md` §B.3). The idea: a button hangs on one word
//! in one list of permissions, and the word is there for exactly those who may press it.

use super::row::ROLES;
use super::row::Who::{self, Everybody, Holds, Members, Superusers};
use super::world::World;

/// A button: what it is called, the address that is read, where in it the words stand, and which
/// word shows it to whom.
type Button = (&'static str, &'static str, &'static str, &'static str, Who);

const LIST: &str = "/user_permissions";
const ROW: &str = "/results/0/user_permissions";

const JOBS: &str = "/jobs/?project_id=$project";
const SETS: &str = "/captures/collections/?project_id=$project&ordering=id";
const STATIONS: &str = "/deployments/?project_id=$project";
const CAPTURE: &str = "/captures/$capture/?project_id=$project";
const PROJECT: &str = "/projects/$project/?with_charts=false";
const TEAM: &str = "/projects/$project/members/";

const BUTTONS: &[Button] = &[
    ("New job", JOBS, LIST, "create", Holds("create_job")),
    ("New project", "/projects/", LIST, "create", Superusers),
    (
        "New station",
        STATIONS,
        LIST,
        "create",
        Holds("create_deployment"),
    ),
    (
        "New capture set",
        SETS,
        LIST,
        "create",
        Holds("create_sourceimagecollection"),
    ),
    (
        "New export",
        "/exports/?project_id=$project",
        LIST,
        "create",
        Holds("create_dataexport"),
    ),
    (
        "New storage",
        "/storage/?project_id=$project",
        LIST,
        "create",
        Holds("create_s3storagesource"),
    ),
    (
        "New service",
        "/ml/processing_services/?project_id=$project",
        LIST,
        "create",
        Superusers,
    ),
    (
        "New site",
        "/deployments/sites/?project_id=$project",
        LIST,
        "create",
        Holds("create_site"),
    ),
    (
        "New device",
        "/deployments/devices/?project_id=$project",
        LIST,
        "create",
        Holds("create_device"),
    ),
    (
        "New taxa list",
        "/taxa/lists/?project_id=$project",
        LIST,
        "create",
        Holds("create_taxalist"),
    ),
    (
        "New member",
        TEAM,
        LIST,
        "create",
        Holds("create_userprojectmembership"),
    ),
    (
        "Upload captures",
        "/captures/?project_id=$project",
        LIST,
        "create",
        Holds("create_sourceimage"),
    ),
    (
        "Job: start, cancel, retry",
        "/jobs/$job/",
        LIST,
        "run",
        Holds("run_ml_job"),
    ),
    (
        "Job: delete",
        "/jobs/?project_id=$project&job_type_key=ml",
        ROW,
        "delete",
        Superusers,
    ),
    (
        "Capture set: populate",
        SETS,
        ROW,
        "populate",
        Holds("populate_sourceimagecollection"),
    ),
    (
        "Capture set: edit",
        SETS,
        ROW,
        "update",
        Holds("update_sourceimagecollection"),
    ),
    (
        "Capture set: delete",
        SETS,
        ROW,
        "delete",
        Holds("delete_sourceimagecollection"),
    ),
    (
        "Station: edit",
        STATIONS,
        ROW,
        "update",
        Holds("update_deployment"),
    ),
    (
        "Station: delete",
        STATIONS,
        ROW,
        "delete",
        Holds("delete_deployment"),
    ),
    (
        "Station: sync",
        STATIONS,
        ROW,
        "sync",
        Holds("sync_deployment"),
    ),
    (
        "Capture: star",
        CAPTURE,
        LIST,
        "star",
        Holds("star_sourceimage"),
    ),
    (
        "Capture: delete",
        CAPTURE,
        LIST,
        "delete",
        Holds("delete_sourceimage"),
    ),
    (
        "Capture: process now",
        CAPTURE,
        LIST,
        "run_single_image_ml_job",
        Holds("run_single_image_ml_job"),
    ),
    (
        "Occurrence: identify",
        "/occurrences/$occurrence/",
        LIST,
        "update",
        Holds("create_identification"),
    ),
    (
        "Project: settings",
        PROJECT,
        LIST,
        "update",
        Holds("update_project"),
    ),
    (
        "Project: danger zone",
        PROJECT,
        LIST,
        "delete",
        Holds("delete_project"),
    ),
    ("Project: team page", PROJECT, "/is_member", "", Members),
    ("Tags", PROJECT, "/feature_flags/tags", "", Everybody),
    (
        "Member: edit",
        TEAM,
        ROW,
        "update",
        Holds("update_userprojectmembership"),
    ),
];

/// A line for each button: shown, not shown, or wrong; and what is wrong.
pub async fn press(world: &World) -> (Vec<(String, Vec<&'static str>)>, Vec<String>) {
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for (name, path, place, word, who) in BUTTONS {
        let mut signs = Vec::new();
        for (column, role) in ROLES.iter().enumerate() {
            let body = world.look(path, column).await;
            // A list that may not be read shows no button.
            let shown = match body.pointer(place) {
                Some(serde_json::Value::Bool(shown)) => *shown,
                Some(words) => words
                    .as_array()
                    .is_some_and(|words| words.iter().any(|one| one == word)),
                None => false,
            };
            let may = who.may(column);
            if shown != may {
                faults.push(format!("{name} as {role}: shown is {shown}"));
            }
            signs.push(match (shown == may, shown) {
                (false, _) => "✗",
                (true, true) => "✓",
                (true, false) => "–",
            });
        }
        lines.push(((*name).to_owned(), signs));
    }
    (lines, faults)
}
