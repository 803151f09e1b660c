//! The table of contents of the API: every address with its name, its methods, what it is about
//! and its fields. Routes, `Allow` headers, OPTIONS answers and browsable pages are read from it.

use axum::routing::{MethodRouter, get, post};
use rest::allow::{ACTION, DETAIL, LIST, READ};
use rest::field::Field;

use crate::AppState;
use crate::api::places::{self, Devices, Sites};
use crate::api::{jobs, login, members, projects, users};

/// One address of the API, below `/api/v2`.
#[derive(Clone, Copy)]
pub struct View {
    /// Path with the names of its variable parts.
    pub path: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Methods it takes.
    pub allow: &'static str,
    /// What it is about, in Markdown.
    pub about: &'static str,
    /// What is sent to it.
    pub fields: &'static [Field],
    /// Its handlers.
    pub methods: fn() -> MethodRouter<AppState>,
}

const fn view(
    path: &'static str,
    name: &'static str,
    allow: &'static str,
    about: &'static str,
    fields: &'static [Field],
    methods: fn() -> MethodRouter<AppState>,
) -> View {
    View {
        path,
        name,
        allow,
        about,
        fields,
        methods,
    }
}

/// All of them.
pub const VIEWS: &[View] = &[
    view(
        "/jobs",
        "Job List",
        LIST,
        jobs::fields::ABOUT,
        jobs::fields::FIELDS,
        || get(jobs::list).post(jobs::create),
    ),
    view(
        "/jobs/next",
        "Next job",
        READ,
        jobs::fields::NEXT,
        &[],
        || get(jobs::beside::next),
    ),
    view(
        "/jobs/bulk",
        "Bulk",
        ACTION,
        jobs::fields::BULK,
        &[],
        || post(jobs::act::bulk),
    ),
    view(
        "/jobs/{id}",
        "Job Instance",
        DETAIL,
        jobs::fields::ABOUT,
        jobs::fields::FIELDS,
        || {
            get(jobs::detail)
                .put(jobs::replace)
                .patch(jobs::edit)
                .delete(jobs::delete)
        },
    ),
    view(
        "/jobs/{id}/run",
        "run",
        ACTION,
        jobs::fields::RUN,
        jobs::fields::FIELDS,
        || post(jobs::act::run),
    ),
    view(
        "/jobs/{id}/retry",
        "retry",
        ACTION,
        jobs::fields::RETRY,
        jobs::fields::FIELDS,
        || post(jobs::act::retry),
    ),
    view(
        "/jobs/{id}/cancel",
        "cancel",
        ACTION,
        jobs::fields::CANCEL,
        jobs::fields::FIELDS,
        || post(jobs::act::cancel),
    ),
    view(
        "/jobs/{id}/queue",
        "Queue",
        READ,
        jobs::fields::QUEUE,
        &[],
        || get(jobs::beside::queue),
    ),
    view(
        "/jobs/{id}/failures",
        "Failures",
        READ,
        jobs::fields::FAILURES,
        &[],
        || get(jobs::beside::failures),
    ),
    view(
        "/jobs/{id}/logs",
        "Logs",
        READ,
        jobs::fields::LOGS,
        &[],
        || get(jobs::beside::logs),
    ),
    view(
        "/auth/token/login",
        "Token Create",
        ACTION,
        login::ABOUT,
        login::FIELDS,
        || post(login::login),
    ),
    view(
        "/auth/token/logout",
        "Token Destroy",
        ACTION,
        login::LOGOUT,
        &[],
        || post(login::logout),
    ),
    view(
        "/users",
        "User List",
        LIST,
        users::ABOUT,
        users::FIELDS,
        || get(users::list).post(users::create),
    ),
    view(
        "/users/me",
        "User Me",
        DETAIL,
        users::ME,
        users::FIELDS,
        || {
            get(users::me)
                .put(users::edit_me)
                .patch(users::edit_me)
                .delete(users::delete_me)
        },
    ),
    view("/users/roles", "Role List", READ, users::ROLES, &[], || {
        get(users::roles)
    }),
    view(
        "/users/set_password",
        "Set password",
        ACTION,
        users::SET_PASSWORD,
        &[],
        || post(users::set_password),
    ),
    view(
        "/users/{id}",
        "User Instance",
        READ,
        users::ABOUT,
        users::FIELDS,
        || get(users::detail),
    ),
    view(
        "/projects",
        "Project List",
        LIST,
        projects::ABOUT,
        projects::FIELDS,
        || get(projects::list).post(projects::create),
    ),
    view(
        "/projects/{id}",
        "Project Instance",
        DETAIL,
        projects::ABOUT,
        projects::FIELDS,
        || {
            get(projects::detail)
                .put(projects::replace)
                .patch(projects::edit)
                .delete(projects::delete)
        },
    ),
    view(
        "/projects/{id}/members",
        "User Project Membership List",
        LIST,
        members::ABOUT,
        members::FIELDS,
        || get(members::list).post(members::create),
    ),
    view(
        "/projects/{id}/members/{member}",
        "User Project Membership Instance",
        DETAIL,
        members::ABOUT,
        members::FIELDS,
        || {
            get(members::detail)
                .put(members::edit)
                .patch(members::edit)
                .delete(members::delete)
        },
    ),
    view(
        "/deployments/sites",
        "Site List",
        LIST,
        places::SITES,
        places::FIELDS,
        || get(places::list::<Sites>).post(places::create::<Sites>),
    ),
    view(
        "/deployments/sites/{id}",
        "Site Instance",
        DETAIL,
        places::SITES,
        places::FIELDS,
        || {
            get(places::detail::<Sites>)
                .put(places::replace::<Sites>)
                .patch(places::edit::<Sites>)
                .delete(places::delete::<Sites>)
        },
    ),
    view(
        "/deployments/devices",
        "Device List",
        LIST,
        places::DEVICES,
        places::FIELDS,
        || get(places::list::<Devices>).post(places::create::<Devices>),
    ),
    view(
        "/deployments/devices/{id}",
        "Device Instance",
        DETAIL,
        places::DEVICES,
        places::FIELDS,
        || {
            get(places::detail::<Devices>)
                .put(places::replace::<Devices>)
                .patch(places::edit::<Devices>)
                .delete(places::delete::<Devices>)
        },
    ),
];

/// The address with this pattern.
pub fn find(pattern: &str) -> Option<&'static View> {
    let path = pattern.strip_prefix("/api/v2")?;
    VIEWS.iter().find(|view| view.path == path)
}
