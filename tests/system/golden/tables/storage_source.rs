//! Buckets. Their keys are left out: Hawkmoth seals them, and no answer shows them.

use store::testing::rows::Row;

use super::Table;

pub const SOURCES: Table = Table {
    name: "main_s3storagesource",
    needs: &[("project_id", "main_project")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("storage_source")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .text("name", line.text("name"))
                .text("kind", "s3")
                .text("bucket", line.text("bucket"))
                .text("prefix", line.text("prefix"))
                .text_or_null("region", line.some_text("region"))
                .text_or_null("endpoint_url", line.some_text("endpoint_url"))
                .text_or_null("public_base_url", line.some_text("public_base_url"))
                .text("access_key", "")
                .text("secret_key", "")
                .int("total_files", line.int("total_files"))
                .int("total_size", line.int("total_size"))
                .instant("last_checked_at", line.instant("last_checked"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
