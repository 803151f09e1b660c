//! Projects and their members.

use store::testing::rows::Row;

use super::Table;

pub const PROJECTS: Table = Table {
    name: "main_project",
    needs: &[],
    links: &[
        ("owner_id", "users_user"),
        ("default_processing_pipeline_id", "ml_pipeline"),
    ],
    rows: |line| {
        vec![
            Row::new("project")
                .int("id", line.int("id"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .text_or_null("image", line.some_text("image"))
                .bool("draft", line.bool("draft"))
                .bool("active", line.bool("active"))
                .int("priority", line.int("priority"))
                .int("owner_id", line.int("owner_id"))
                .json("feature_flags", line.json("feature_flags"))
                .int(
                    "session_time_gap_seconds",
                    line.int("session_time_gap_seconds"),
                )
                .float(
                    "score_threshold",
                    line.float("default_filters_score_threshold"),
                )
                .int(
                    "default_pipeline_id",
                    line.int("default_processing_pipeline_id"),
                )
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};

/// Without the role, which stands elsewhere.
pub const MEMBERS: Table = Table {
    name: "main_userprojectmembership",
    needs: &[("user_id", "users_user"), ("project_id", "main_project")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("membership")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .int("user_id", line.int("user_id"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
