//! The table of contents of the API: every address with its name, its methods, what it is about,
//! its fields, filters and orders. Routes, `Allow` headers, OPTIONS answers, browsable pages and
//! the schema are read from it; each resource holds its own part.

use axum::extract::Request;
use axum::routing::MethodRouter;
use rest::field::{Field, Kind};

use crate::AppState;
use crate::api;

pub mod contract;

pub use contract::{Answer, Contract};

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
    /// What is sent to it and, without what is write-only, shown of a row.
    pub fields: &'static [Field],
    /// What is shown, where it is not the same table.
    pub shown: Option<&'static [Field]>,
    /// What the query may hold besides paging, order, search and format.
    pub filters: &'static [Field],
    /// What a list can be ordered by.
    pub orders: &'static [&'static str],
    /// Whether a list can be searched.
    pub searched: bool,
    /// Whether the first page of the API names it.
    pub in_root: bool,
    /// What its methods and fields do not say.
    pub contract: Contract,
    /// Its handlers.
    pub methods: fn() -> MethodRouter<AppState>,
}

/// An address; what else it has is said by the methods of [`View`].
pub const fn view(
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
        shown: None,
        filters: &[],
        orders: &[],
        searched: false,
        in_root: false,
        contract: Contract::PLAIN,
        methods,
    }
}

impl View {
    /// Shows another table than is sent.
    pub const fn shows(self, fields: &'static [Field]) -> View {
        View {
            shown: Some(fields),
            ..self
        }
    }

    /// Takes these in its query.
    pub const fn filters(self, filters: &'static [Field]) -> View {
        View { filters, ..self }
    }

    /// Can be ordered by these.
    pub const fn orders(self, orders: &'static [&'static str]) -> View {
        View { orders, ..self }
    }

    /// Can be searched.
    pub const fn searched(self) -> View {
        View {
            searched: true,
            ..self
        }
    }

    /// Stands on the first page of the API.
    pub const fn in_root(self) -> View {
        View {
            in_root: true,
            ..self
        }
    }

    /// The fields of a row as it is shown.
    pub fn row_fields(&self) -> &'static [Field] {
        self.shown.unwrap_or(self.fields)
    }
}

/// The filter that most lists share.
pub const PROJECT: &[Field] = &[Field::new("project_id", "Project", Kind::Link("projects"))];

/// The same for lists that only projects have.
pub const OF_PROJECT: &[Field] = &[PROJECT[0].required()];

/// All of them: one table per resource, in the order of the first page of the API.
pub const VIEWS: &[&[View]] = &[
    api::VIEWS,
    api::users::VIEWS,
    api::me::VIEWS,
    api::credentials::VIEWS,
    api::tokens::VIEWS,
    api::login::VIEWS,
    api::storage::VIEWS,
    api::projects::VIEWS,
    api::pipelines::VIEWS,
    api::workers::VIEWS,
    api::members::VIEWS,
    api::places::VIEWS,
    api::stations::VIEWS,
    api::sessions::VIEWS,
    api::captures::THUMBNAILS,
    api::capture_sets::VIEWS,
    api::captures::VIEWS,
    api::detections::VIEWS,
    api::occurrences::VIEWS,
    api::classifications::VIEWS,
    api::jobs::VIEWS,
    api::schedules::VIEWS,
    api::webhooks::VIEWS,
    api::pages::VIEWS,
    api::status::VIEWS,
    api::schema::VIEWS,
    api::exports::VIEWS,
    api::taxa::lists::VIEWS,
    api::taxa::VIEWS,
    api::tags::VIEWS,
    api::ml::algorithms::VIEWS,
    api::ml::labels::VIEWS,
    api::ml::pipelines::VIEWS,
    api::ml::services::VIEWS,
    api::identifications::VIEWS,
];

/// Every address of the API.
pub fn all() -> impl Iterator<Item = &'static View> {
    VIEWS.iter().copied().flatten()
}

/// The address that a request asks for, as it was found.
#[derive(Clone, Copy)]
struct Found(Option<&'static View>);

/// Finds the address that a request asks for; whoever asks [`of`] later need not search again.
pub fn find(request: &mut Request) {
    let found = Found(of(request));
    request.extensions_mut().insert(found);
}

/// The address of the API that a request asks for.
pub fn of(request: &Request) -> Option<&'static View> {
    let found = request.extensions().get::<Found>();
    let search = || request.uri().path().strip_prefix("/api/v2").and_then(at);
    found.map_or_else(search, |found| found.0)
}

/// The address that answers a path below `/api/v2`: of those that fit, the one that spells out
/// what others leave open, as the router chooses.
pub fn at(path: &str) -> Option<&'static View> {
    let parts = path.split('/').count();
    let fits = |view: &&View| {
        let mut pairs = view.path.split('/').zip(path.split('/'));
        view.path.split('/').count() == parts
            && pairs.all(|(named, part)| match named.starts_with('{') {
                true => !part.is_empty(),
                false => named == part,
            })
    };
    let spelled = |view: &&View| -> Vec<bool> {
        let named = view.path.split('/');
        named.map(|part| !part.starts_with('{')).collect()
    };
    all().filter(fits).max_by_key(spelled)
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn an_address_is_found_as_the_router_finds_it() {
        for (path, pattern) in [
            ("", Some("")),
            ("/jobs", Some("/jobs")),
            ("/jobs/17", Some("/jobs/{id}")),
            ("/jobs/x", Some("/jobs/{id}")),
            ("/jobs/next", Some("/jobs/next")),
            ("/jobs/17/run", Some("/jobs/{id}/run")),
            ("/users/me", Some("/users/me")),
            ("/jobs/", None),
            ("/nowhere", None),
            ("/jobs/17/run/now", None),
        ] {
            assert_eq!(at(path).map(|view| view.path), pattern, "{path}");
        }
    }
}
