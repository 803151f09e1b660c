//! The two pages that web clients lead to from their foot. The idea: what they say of the demo is
//! true, and short.

use store::page::PageChange;
use store::{Store, StoreError};

/// Slug, name and text.
const PAGES: [(&str, &str, &str); 2] = [
    (
        "terms-of-service",
        "Terms of service",
        "This is Hawkmoth's demonstration on a machine of your own. There are no terms but those \
         of its licence.",
    ),
    (
        "code-of-conduct",
        "Code of conduct",
        "Be kind to people, and to moths: switch the lamp off when you are done.",
    ),
];

/// Makes the pages that are missing.
pub async fn write(store: &Store) -> anyhow::Result<()> {
    for (slug, name, text) in PAGES {
        match store.written_page(slug).await {
            Err(StoreError::NotFound(_)) => {}
            other => {
                other?;
                continue;
            }
        }
        let page = PageChange {
            name: Some(name.to_owned()),
            slug: Some(slug.to_owned()),
            content: Some(Some(text.to_owned())),
            published: Some(true),
            ..Default::default()
        };
        store.create_written_page(page).await?;
    }
    Ok(())
}
