//! `/api/v2/pages/`: texts that staff write in Markdown, such as the terms of service. Everybody
//! reads the published ones; raw HTML in them is shown as text, never run.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use pulldown_cmark::{Event, Options, Parser, Tag};
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::page::{PAGE_ORDERS, PageChange, WrittenPage};

use super::internal;
use crate::call::Call;
use crate::views::{View, view};
use domain::permission::{Caller, pipeline_permissions};

/// About pages.
pub const ABOUT: &str = "Pages of text, written in Markdown.";

const MIN: Option<i64> = Some(-2_147_483_648);
const MAX: Option<i64> = Some(2_147_483_647);

const ID: Field = Field::id();
const DETAILS: Field = Field::details();
const NAME: Field = Field::new("name", "Name", Kind::Text(Some(255))).required();
const SLUG: Field = Field::new("slug", "Slug", Kind::Text(Some(255)))
    .required()
    .help("Unique, URL safe name e.g. about-us");
const LEVEL: Field = Field::new("nav_level", "Nav level", Kind::Integer(MIN, MAX))
    .help("0 = main nav, 1 = sub nav, etc.");
const ORDER: Field = Field::new("nav_order", "Nav order", Kind::Integer(MIN, MAX))
    .help("Order of nav items within a level");
const CLASS: Field = Field::new("link_class", "Link class", Kind::Text(Some(255)))
    .nullable()
    .blank()
    .help("CSS class for nav link");
const PUBLISHED: Field = Field::new("published", "Published", Kind::Boolean);
const UPDATED: Field = Field::shown("updated_at", "Updated at", Kind::DateTime);

/// The fields of a page, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    ID,
    DETAILS,
    NAME,
    SLUG,
    Field::new("content", "Body content", Kind::Text(None))
        .nullable()
        .blank()
        .help("Use Markdown syntax"),
    Field::shown("html", "Html", Kind::Any),
    LEVEL,
    ORDER,
    CLASS,
    PUBLISHED,
    UPDATED,
];

/// A page in a list.
pub const ROW: &[Field] = &[
    ID, DETAILS, NAME, SLUG, LEVEL, ORDER, CLASS, PUBLISHED, UPDATED,
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/pages", "Page List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .shows(ROW)
    .orders(PAGE_ORDERS)
    .in_root(),
    view(
        "/pages/{slug}",
        "Page Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
];

/// Markdown as HTML without any HTML of its author's, and without links that run something.
fn html(text: &str) -> String {
    let harmless = |event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) if runs(&dest_url) => Event::Start(Tag::Link {
            link_type,
            dest_url: "#".into(),
            title,
            id,
        }),
        other => other,
    };
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).map(harmless);
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

/// Whether an address could run a script: any scheme that is not known to be harmless.
fn runs(address: &str) -> bool {
    let address: String = address.chars().filter(|c| *c > ' ').collect();
    let Some((scheme, _)) = address.split_once(':') else {
        return false;
    };
    let known = ["http", "https", "mailto"];
    !scheme.contains(['/', '?', '#']) && !known.contains(&scheme.to_ascii_lowercase().as_str())
}

fn shown(call: &Call, page: &WrittenPage, alone: bool) -> Value {
    let mut value = json!({
        "id": page.id,
        "details": call.addresses.path(&format!("pages/{}", page.slug)),
        "name": page.name,
        "slug": page.slug,
    });
    if alone {
        value["content"] = json!(page.content);
        value["html"] = json!(html(page.content.as_deref().unwrap_or_default()));
    }
    value["nav_level"] = json!(page.nav_level);
    value["nav_order"] = json!(page.nav_order);
    value["link_class"] = json!(page.link_class);
    value["published"] = json!(page.published);
    value["updated_at"] = json!(instant(page.updated_at));
    value["user_permissions"] = json!(pipeline_permissions(call.who.caller()));
    value
}

/// A page of pages.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let order = call.query.ordering(PAGE_ORDERS);
    let order: Vec<_> = order.iter().map(|o| (o.field, o.descending)).collect();
    let page = Page::read(&call.query);
    let published = !call.who.caller().may_write_shared();
    let (limit, offset) = (page.limit, page.offset);
    let store = call.store();
    let found = store.written_pages(published, &order, limit, offset).await;
    let (pages, count) = found.map_err(internal)?;
    let rows = pages.iter().map(|row| shown(&call, row, false)).collect();
    let words = call.list_words("page").await?;
    Ok(Json(call.envelope("pages", page, count, rows, words)))
}

/// The page of an address.
async fn find(call: &Call, slug: &str) -> ApiResult<WrittenPage> {
    let page = call.store().written_page(slug).await.map_err(internal)?;
    if !page.published && !call.who.caller().may_write_shared() {
        return Err(ApiError::NotFound);
    }
    Ok(page)
}

/// Goes on for those who may write what belongs to no project.
fn staff(call: &Call) -> ApiResult<()> {
    match call.who.caller() {
        caller if caller.may_write_shared() => Ok(()),
        Caller::Anonymous => Err(ApiError::NotAuthenticated),
        Caller::User { .. } => Err(ApiError::Forbidden),
    }
}

/// One page.
pub async fn detail(call: Call, Path(slug): Path<String>) -> ApiResult<Json<Value>> {
    let page = find(&call, &slug).await?;
    Ok(Json(shown(&call, &page, true)))
}

fn read(body: JsonBody, how: How) -> ApiResult<PageChange> {
    let mut form = Form::read(FIELDS, body, how)?;
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if form
        .text("slug")
        .is_some_and(|slug| !slug.chars().all(sound))
    {
        let words =
            "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.";
        form.wrong("slug", words);
    }
    form.finish()?;
    let number = |name| form.integer(name).and_then(|n| i32::try_from(n).ok());
    Ok(PageChange {
        name: form.text("name"),
        slug: form.text("slug"),
        content: form.change("content", Form::text),
        link_class: form.change("link_class", Form::text),
        nav_level: number("nav_level"),
        nav_order: number("nav_order"),
        published: form.boolean("published"),
    })
}

/// A slug that is taken is the field's fault.
fn saved(row: Result<WrittenPage, StoreError>) -> ApiResult<WrittenPage> {
    row.map_err(|error| match error {
        StoreError::Conflict(_) => ApiError::field("slug", "page with this slug already exists."),
        other => internal(other),
    })
}

/// Makes a page.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    staff(&call)?;
    let made = call.store().create_written_page(read(body, How::Whole)?);
    let page = saved(made.await)?;
    Ok((StatusCode::CREATED, Json(shown(&call, &page, true))))
}

/// Replaces a page (PUT).
pub async fn replace(call: Call, slug: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, slug, body, How::Whole).await
}

/// Changes some of a page (PATCH).
pub async fn edit(call: Call, slug: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, slug, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(slug): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    staff(&call)?;
    let page = find(&call, &slug).await?;
    let change = read(body, how)?;
    let page = call.store().change_written_page(page.id, change).await;
    Ok(Json(shown(&call, &saved(page)?, true)))
}

/// Deletes a page.
pub async fn delete(call: Call, Path(slug): Path<String>) -> ApiResult<StatusCode> {
    staff(&call)?;
    let page = find(&call, &slug).await?;
    let deleted = call.store().delete_written_page(page.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn what_could_run_is_shown_or_left_out() {
        assert_eq!(html("# A\n\n*b*"), "<h1>A</h1>\n<p><em>b</em></p>\n");
        assert!(!html("<script>x</script>").contains("<script"));
        assert!(!html("a <img src=x onerror=y> b").contains("<img"));
        assert!(!html("[x](java\nscript:alert(1))").contains("href"));
        assert!(html("[x](JavaScript:alert)").contains("href=\"#\""));
        assert!(html("[x](https://h/)").contains("href=\"https://h/\""));
        assert!(html("[x](/terms)").contains("href=\"/terms\""));
    }
}
