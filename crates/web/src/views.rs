//! The table of contents of the API: every address with its name, its methods, what it is about,
//! its fields, filters and orders. Routes, `Allow` headers, OPTIONS answers, browsable pages and
//! the schema are read from it; each resource holds its own part.

use axum::routing::MethodRouter;
use rest::field::{Field, Kind};

use crate::AppState;
use crate::api;

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

/// All of them: one table per resource, in the order of the first page of the API.
pub const VIEWS: &[&[View]] = &[
    api::users::VIEWS,
    api::me::VIEWS,
    api::credentials::VIEWS,
    api::tokens::VIEWS,
    api::login::VIEWS,
    api::storage::VIEWS,
    api::projects::VIEWS,
    api::members::VIEWS,
    api::places::VIEWS,
    api::stations::VIEWS,
    api::sessions::VIEWS,
    api::exports::VIEWS,
    api::captures::THUMBNAILS,
    api::capture_sets::VIEWS,
    api::captures::VIEWS,
    api::detections::VIEWS,
    api::occurrences::VIEWS,
    api::taxa::lists::VIEWS,
    api::taxa::VIEWS,
    api::tags::VIEWS,
    api::ml::algorithms::VIEWS,
    api::ml::labels::VIEWS,
    api::ml::pipelines::VIEWS,
    api::ml::services::VIEWS,
    api::classifications::VIEWS,
    api::identifications::VIEWS,
    api::jobs::VIEWS,
    api::pipelines::VIEWS,
    api::workers::VIEWS,
    api::pages::VIEWS,
    api::status::VIEWS,
];

/// Every address of the API.
pub fn all() -> impl Iterator<Item = &'static View> {
    VIEWS.iter().copied().flatten()
}

/// The address with this pattern.
pub fn find(pattern: &str) -> Option<&'static View> {
    let path = pattern.strip_prefix("/api/v2")?;
    all().find(|view| view.path == path)
}
