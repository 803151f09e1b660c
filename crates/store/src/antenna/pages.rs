//! Pages of text that the installation shows, such as its terms of use.

use super::step::{About, Rows};
use crate::entity::page;

pub(super) const PAGES: Rows<page::Entity> = Rows {
    about: About {
        leaves: &["project_id"],
        ..About::new("main_page", "page")
    },
    row: |line, _| {
        Ok(page::Model {
            id: line.key,
            name: line.get("name")?,
            slug: line.get("slug")?,
            content: line.text("content")?,
            link_class: line.text("link_class")?,
            nav_level: line.opt("nav_level")?.unwrap_or(0),
            nav_order: line.opt("nav_order")?.unwrap_or(0),
            published: line.opt("published")?.unwrap_or(false),
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};
