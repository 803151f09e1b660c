//! Buckets. Their keys are left out: Hawkmoth seals them, and no answer shows them.

use store::testing::rows::Row;

use super::super::bucket::{self, Bucket};
use super::super::sheet::Line;
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
                .text_or_null("public_base_url", line.some_text("public_base_url"))
                .int("total_files", line.int("total_files"))
                .int("total_size", line.int("total_size"))
                .instant("last_checked_at", line.instant("last_checked"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};

/// Adds where a source's bucket is now, and the keys to it.
pub fn complete(line: &Line, row: Row, bucket: &Bucket) -> Row {
    if row.table != "storage_source" {
        return row;
    }
    let there = line.some_text("endpoint_url");
    let here = there.map(|address| address.replace(bucket::ADDRESS, &bucket.address));
    let (access, secret) = &bucket.sealed;
    row.text_or_null("endpoint_url", here)
        .text("access_key", access)
        .text("secret_key", secret)
}
