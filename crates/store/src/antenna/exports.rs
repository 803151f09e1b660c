//! Exports as they were made; their files stay where they are until somebody copies them.

use super::step::{About, Rows};
use crate::entity::export;

pub(super) const EXPORTS: Rows<export::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        links: &[("user_id", "user")],
        ..About::new("exports_dataexport", "export")
    },
    row: |line, _| {
        Ok(export::Model {
            id: line.key,
            project_id: line.get("project_id")?,
            user_id: line.opt("user_id")?,
            format: line.get("format")?,
            filters: line.object("filters")?,
            filters_display: line.object("filters_display")?,
            file_url: line.text("file_url")?,
            record_count: line.opt("record_count")?.unwrap_or(0),
            file_size: line.opt("file_size")?.unwrap_or(0),
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};
