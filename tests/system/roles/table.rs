//! The table: method, address, what it is about, what is sent, and what each role hears, in the
//! order superuser, owner, manager, mlmanager, researcher, identifier, basic, nonmember, staff,
//! anonymous.

use super::Target::{self, *};

/// One row.
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub query: &'static str,
    pub target: Target,
    pub body: &'static str,
    pub heard: [u16; 10],
}

const fn row(
    method: &'static str,
    path: &'static str,
    target: Target,
    body: &'static str,
    heard: [u16; 10],
) -> Row {
    Row {
        method,
        path,
        query: "",
        target,
        body,
        heard,
    }
}

impl Row {
    const fn query(self, query: &'static str) -> Row {
        Row { query, ..self }
    }
}

/// Open to all.
const ALL: [u16; 10] = [200; 10];
/// Open to all who are signed in.
const SIGNED_IN: [u16; 10] = [200, 200, 200, 200, 200, 200, 200, 200, 200, 401];
/// A draft project is there for its owner and superusers only.
const DRAFT: [u16; 10] = [200, 200, 404, 404, 404, 404, 404, 404, 404, 404];
/// The same where the refusal says that there is something.
const DRAFT_SAID: [u16; 10] = [200, 200, 403, 403, 403, 403, 403, 403, 403, 401];
/// Who manages data and makes something.
const DATA_MAKE: [u16; 10] = [201, 201, 201, 201, 403, 403, 403, 403, 403, 401];
/// Who manages data.
const DATA: [u16; 10] = [200, 200, 200, 200, 403, 403, 403, 403, 403, 401];
/// Members.
const MEMBERS: [u16; 10] = [200, 200, 200, 200, 200, 200, 200, 403, 403, 401];
/// Managers.
const MANAGERS: [u16; 10] = [200, 200, 200, 403, 403, 403, 403, 403, 403, 401];
/// Managers who make something.
const MANAGERS_MAKE: [u16; 10] = [201, 201, 201, 403, 403, 403, 403, 403, 403, 401];
/// Managers who delete something.
const MANAGERS_END: [u16; 10] = [204, 204, 204, 403, 403, 403, 403, 403, 403, 401];
/// Superusers.
const SUPER: [u16; 10] = [200, 403, 403, 403, 403, 403, 403, 403, 403, 401];
/// Superusers who make something.
const SUPER_MAKE: [u16; 10] = [201, 403, 403, 403, 403, 403, 403, 403, 403, 401];
/// Superusers who delete something.
const SUPER_END: [u16; 10] = [204, 403, 403, 403, 403, 403, 403, 403, 403, 401];
/// Members who make something.
const MEMBERS_MAKE: [u16; 10] = [201, 201, 201, 201, 201, 201, 201, 403, 403, 401];
/// Other people are staff business.
const STAFF: [u16; 10] = [200, 404, 404, 404, 404, 404, 404, 404, 200, 401];
/// Staff writes what belongs to no project.
const STAFF_CHANGE: [u16; 10] = [200, 403, 403, 403, 403, 403, 403, 403, 200, 401];
/// Staff makes what belongs to no project.
const STAFF_MAKE: [u16; 10] = [201, 403, 403, 403, 403, 403, 403, 403, 201, 401];
/// Heard by whoever is signed in and says the wrong password.
const WRONG: [u16; 10] = [400, 400, 400, 400, 400, 400, 400, 400, 400, 401];

const JOB: &str = r#"{"name": "Job", "delay": 0, "project_id": $project}"#;
const JOB_OF_CAPTURE: &str =
    r#"{"name": "Job", "delay": 0, "project_id": $project, "source_image_single_id": $capture}"#;
const JOB_OF_DRAFT: &str = r#"{"name": "Job", "delay": 0, "project_id": $draft}"#;
const JOB_OF_OTHER: &str = r#"{"name": "Job", "delay": 0, "project_id": $other}"#;
const NAME: &str = r#"{"name": "Renamed $n"}"#;
const PLACE: &str = r#"{"name": "Place $n", "project": $project}"#;
const STATION: &str = r#"{"name": "Station $n", "project_id": $project}"#;
const SOURCE: &str = r#"{"name": "Source $n", "bucket": "moths", "project": $project}"#;
const PAGE: &str = r#"{"name": "Page $n", "slug": "new-$n"}"#;
const NEW_PASSWORD: &str = r#"{"current_password": "wrong", "new_password": "another-secret-9"}"#;
const BULK: &str = r#"{"action": "cancel", "ids": [$id]}"#;
const BULK_DELETE: &str = r#"{"action": "delete", "ids": [$id]}"#;

const PRIORITY: &str = r#"{"priority": 3}"#;
const ONE_TASK: &str = r#"{"batch_size": 1}"#;
const NO_RESULTS: &str = r#"{"results": []}"#;
const NO_RECEIPTS: &str = r#"{"reply_subjects": []}"#;
const NO_PIPELINES: &str = r#"{"processing_service_name": "Worker"}"#;

/// Resources whose rows are still to be written: their own tests ask some of the roles.
pub const TO_COME: &[&str] = &["/captures", "/events", "/detections", "/classifications"];

/// All rows.
pub const ROWS: &[Row] = &[
    row("GET", "", Nothing, "", ALL),
    // Jobs.
    row("GET", "/jobs", Nothing, "", ALL),
    row("POST", "/jobs", Nothing, JOB, MEMBERS_MAKE),
    row(
        "POST",
        "/jobs",
        Nothing,
        JOB,
        [201, 201, 201, 201, 403, 403, 403, 403, 403, 401],
    )
    .query("?start_now"),
    row("POST", "/jobs", Nothing, JOB_OF_CAPTURE, MEMBERS_MAKE).query("?start_now"),
    row(
        "POST",
        "/jobs",
        Nothing,
        JOB_OF_DRAFT,
        [201, 201, 403, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("POST", "/jobs", Nothing, JOB_OF_OTHER, SUPER_MAKE),
    row("GET", "/jobs/next", Nothing, "", [404; 10]).query("?pipelines=none"),
    row("POST", "/jobs/bulk", Job("ml"), BULK, DATA),
    row("POST", "/jobs/bulk", Job("ml"), BULK_DELETE, SUPER),
    row("POST", "/jobs/bulk", DraftJob, BULK, DRAFT),
    row("GET", "/jobs/{id}", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}", DraftJob, "", DRAFT),
    row("PUT", "/jobs/{id}", Job("ml"), JOB, DATA),
    row("PATCH", "/jobs/{id}", Job("ml"), NAME, DATA),
    row("PATCH", "/jobs/{id}", DraftJob, NAME, DRAFT),
    row("DELETE", "/jobs/{id}", Job("ml"), "", SUPER_END),
    row("POST", "/jobs/{id}/run", Job("ml"), "", DATA),
    row("POST", "/jobs/{id}/run", Job("data_storage_sync"), "", DATA),
    row(
        "POST",
        "/jobs/{id}/run",
        Job("populate_captures_collection"),
        "",
        DATA,
    ),
    row("POST", "/jobs/{id}/run", Job("regroup_events"), "", DATA),
    row("POST", "/jobs/{id}/run", Job("data_export"), "", DATA),
    row("POST", "/jobs/{id}/run", Job("post_processing"), "", SUPER),
    row("POST", "/jobs/{id}/run", Job("unknown"), "", SUPER),
    row("POST", "/jobs/{id}/run", SingleJob, "", MEMBERS),
    row("POST", "/jobs/{id}/run", DraftJob, "", DRAFT),
    row("POST", "/jobs/{id}/retry", Job("ml"), "", DATA),
    row(
        "POST",
        "/jobs/{id}/retry",
        Job("post_processing"),
        "",
        SUPER,
    ),
    row("POST", "/jobs/{id}/retry", SingleJob, "", MEMBERS),
    row("POST", "/jobs/{id}/cancel", Job("ml"), "", DATA),
    row(
        "POST",
        "/jobs/{id}/cancel",
        Job("post_processing"),
        "",
        SUPER,
    ),
    row("POST", "/jobs/{id}/cancel", SingleJob, "", MEMBERS),
    row("GET", "/jobs/{id}/queue", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/queue", DraftJob, "", DRAFT),
    row("PATCH", "/jobs/{id}/queue", Job("ml"), PRIORITY, DATA),
    row("PATCH", "/jobs/{id}/queue", DraftJob, PRIORITY, DRAFT),
    row("POST", "/jobs/{id}/tasks", PullJob, ONE_TASK, DATA),
    row("POST", "/jobs/{id}/result", PullJob, NO_RESULTS, DATA),
    row("POST", "/jobs/{id}/result", DraftJob, NO_RESULTS, DRAFT),
    row("POST", "/jobs/{id}/extend", PullJob, NO_RECEIPTS, DATA),
    row("POST", "/jobs/{id}/extend", DraftJob, NO_RECEIPTS, DRAFT),
    row("POST", "/jobs/{id}/pause", PullJob, "", DATA),
    row("POST", "/jobs/{id}/resume", PullJob, "", DATA),
    row("GET", "/workers", Nothing, "", ALL),
    row("GET", "/projects/{id}/pipelines", Nothing, "", ALL),
    row("GET", "/projects/{id}/pipelines", Draft, "", DRAFT_SAID),
    row(
        "POST",
        "/projects/{id}/pipelines",
        Nothing,
        NO_PIPELINES,
        DATA_MAKE,
    ),
    row("GET", "/jobs/{id}/failures", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/failures", DraftJob, "", DRAFT),
    row("GET", "/jobs/{id}/timeline", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/timeline", DraftJob, "", DRAFT),
    row("GET", "/jobs/{id}/logs", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/logs", DraftJob, "", DRAFT),
    // Stations and storage.
    row("GET", "/deployments", Nothing, "", ALL),
    row("POST", "/deployments", Nothing, STATION, MANAGERS_MAKE),
    row("GET", "/deployments/{id}", Station, "", ALL),
    row("GET", "/deployments/{id}", DraftStation, "", DRAFT),
    row("PUT", "/deployments/{id}", Station, STATION, MANAGERS),
    row("PATCH", "/deployments/{id}", Station, NAME, MANAGERS),
    row("PATCH", "/deployments/{id}", DraftStation, NAME, DRAFT),
    row("DELETE", "/deployments/{id}", Station, "", MANAGERS_END),
    row(
        "POST",
        "/deployments/{id}/sync",
        Station,
        "",
        [400, 400, 400, 400, 403, 403, 403, 403, 403, 401],
    ),
    row("POST", "/deployments/sync-all", Nothing, "", DATA).query("?project_id=$project"),
    row(
        "POST",
        "/deployments/{id}/regroup-sessions",
        Station,
        "",
        [202, 202, 202, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("GET", "/storage", Nothing, "", ALL),
    row("POST", "/storage", Nothing, SOURCE, MANAGERS_MAKE),
    row("GET", "/storage/{id}", Source, "", ALL),
    // The source is a folder, and a folder is not moved.
    row(
        "PUT",
        "/storage/{id}",
        Source,
        SOURCE,
        [400, 400, 400, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("PATCH", "/storage/{id}", Source, NAME, MANAGERS),
    row("DELETE", "/storage/{id}", Source, "", MANAGERS_END),
    row("POST", "/storage/{id}/test", Source, "", MANAGERS),
    row("GET", "/projects/{id}/charts", Nothing, "", ALL),
    row("GET", "/projects/{id}/charts", Draft, "", DRAFT),
    row("GET", "/status/summary", Nothing, "", ALL).query("?project_id=$project"),
    row(
        "POST",
        "/status/storage",
        Nothing,
        r#"{"data_source": "x"}"#,
        ALL,
    ),
    // Pages.
    row("GET", "/pages", Nothing, "", ALL),
    row("POST", "/pages", Nothing, PAGE, STAFF_MAKE),
    row("GET", "/pages/{slug}", Page, "", ALL),
    row("PUT", "/pages/{slug}", Page, PAGE, STAFF_CHANGE),
    row("PATCH", "/pages/{slug}", Page, NAME, STAFF_CHANGE),
    row(
        "DELETE",
        "/pages/{slug}",
        Page,
        "",
        [204, 403, 403, 403, 403, 403, 403, 403, 204, 401],
    ),
    // People.
    row("GET", "/users", Nothing, "", SIGNED_IN),
    row(
        "POST",
        "/users",
        Nothing,
        r#"{"email": "new$n@example.org", "password": "another-secret-9"}"#,
        [201, 403, 403, 403, 403, 403, 403, 403, 201, 401],
    ),
    row("GET", "/users/roles", Nothing, "", ALL),
    row("GET", "/users/{id}", Person, "", STAFF),
    row("PUT", "/users/{id}", Person, NAME, STAFF),
    row("PATCH", "/users/{id}", Person, NAME, STAFF),
    row(
        "DELETE",
        "/users/{id}",
        Person,
        r#"{"current_password": "secret"}"#,
        [204, 404, 404, 404, 404, 404, 404, 404, 204, 401],
    ),
    row("GET", "/users/me", Nothing, "", SIGNED_IN),
    row("PUT", "/users/me", Nothing, "{}", SIGNED_IN),
    row("PATCH", "/users/me", Nothing, "{}", SIGNED_IN),
    row(
        "DELETE",
        "/users/me",
        Nothing,
        r#"{"current_password": "wrong"}"#,
        WRONG,
    ),
    row("GET", "/users/me/tokens", Nothing, "", SIGNED_IN),
    row(
        "POST",
        "/users/me/tokens",
        Nothing,
        NAME,
        [201, 201, 201, 201, 201, 201, 201, 201, 201, 401],
    ),
    row(
        "DELETE",
        "/users/me/tokens/{id}",
        TokenOfOther,
        "",
        [404, 404, 404, 404, 404, 404, 404, 404, 404, 401],
    ),
    row("POST", "/users/set_password", Nothing, NEW_PASSWORD, WRONG),
    row(
        "POST",
        "/users/set_email",
        Nothing,
        r#"{"current_password": "wrong", "new_email": "new$n@example.org"}"#,
        WRONG,
    ),
    row(
        "POST",
        "/users/reset_password",
        Nothing,
        r#"{"email": "stranger$n@example.org"}"#,
        [204; 10],
    ),
    row(
        "POST",
        "/users/reset_password_confirm",
        Nothing,
        r#"{"uid": "x", "token": "y", "new_password": "another-secret-9"}"#,
        [400; 10],
    ),
    row(
        "POST",
        "/auth/token/login",
        Nothing,
        r#"{"email": "stranger$n@example.org", "password": "x"}"#,
        [400; 10],
    ),
    row(
        "POST",
        "/auth/token/logout",
        OwnToken,
        "",
        [204, 204, 204, 204, 204, 204, 204, 204, 204, 401],
    ),
    // Projects and their members.
    row("GET", "/projects", Nothing, "", ALL),
    row("POST", "/projects", Nothing, NAME, SUPER_MAKE),
    row("GET", "/projects/{id}", Project, "", ALL),
    row("GET", "/projects/{id}", Draft, "", DRAFT),
    row("PUT", "/projects/{id}", Project, NAME, MANAGERS),
    row("PATCH", "/projects/{id}", Project, NAME, MANAGERS),
    row("PATCH", "/projects/{id}", Draft, "{}", DRAFT),
    row("DELETE", "/projects/{id}", Project, "", MANAGERS_END),
    row("GET", "/projects/{id}/members", Nothing, "", MEMBERS),
    row("GET", "/projects/{id}/members", Draft, "", DRAFT),
    row(
        "POST",
        "/projects/{id}/members",
        Nothing,
        r#"{"email": "@newcomer", "role_id": "BasicMember"}"#,
        MANAGERS_MAKE,
    ),
    row(
        "GET",
        "/projects/{id}/members/{member}",
        Member,
        "",
        MEMBERS,
    ),
    row(
        "PUT",
        "/projects/{id}/members/{member}",
        Member,
        r#"{"role_id": "Identifier"}"#,
        MANAGERS,
    ),
    row(
        "PATCH",
        "/projects/{id}/members/{member}",
        Member,
        r#"{"role_id": "Identifier"}"#,
        MANAGERS,
    ),
    row(
        "DELETE",
        "/projects/{id}/members/{member}",
        Member,
        "",
        MANAGERS_END,
    ),
    // Sites and devices.
    row("GET", "/deployments/sites", Nothing, "", ALL),
    row("POST", "/deployments/sites", Nothing, PLACE, MANAGERS_MAKE),
    row("GET", "/deployments/sites/{id}", Site, "", ALL),
    row("GET", "/deployments/sites/{id}", DraftSite, "", DRAFT),
    row("PUT", "/deployments/sites/{id}", Site, PLACE, MANAGERS),
    row("PATCH", "/deployments/sites/{id}", Site, NAME, MANAGERS),
    row("PATCH", "/deployments/sites/{id}", DraftSite, NAME, DRAFT),
    row("DELETE", "/deployments/sites/{id}", Site, "", MANAGERS_END),
    row("GET", "/deployments/devices", Nothing, "", ALL),
    row(
        "POST",
        "/deployments/devices",
        Nothing,
        PLACE,
        MANAGERS_MAKE,
    ),
    row("GET", "/deployments/devices/{id}", Device, "", ALL),
    row("PUT", "/deployments/devices/{id}", Device, PLACE, MANAGERS),
    row("PATCH", "/deployments/devices/{id}", Device, NAME, MANAGERS),
    row(
        "DELETE",
        "/deployments/devices/{id}",
        Device,
        "",
        MANAGERS_END,
    ),
];
