//! Counters of capture sets: what lists of large sets show without counting anew.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

const COUNTERS: [&str; 5] = [
    "captures_count",
    "found_count",
    "processed_count",
    "occurrences_count",
    "taxa_count",
];

const FILL: &str = "UPDATE capture_set SET captures_count = \
    (SELECT COUNT(*) FROM capture_set_member m WHERE m.capture_set_id = capture_set.id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for name in COUNTERS {
            let column = big_integer(name).default(0).take();
            let table = Table::alter()
                .table("capture_set")
                .add_column(column)
                .take();
            m.alter_table(table).await?;
        }
        let counted = timestamp_with_time_zone_null("counted_at");
        let table = Table::alter()
            .table("capture_set")
            .add_column(counted)
            .take();
        m.alter_table(table).await?;
        m.get_connection().execute_unprepared(FILL).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for column in COUNTERS.into_iter().chain(["counted_at"]) {
            let table = Table::alter()
                .table("capture_set")
                .drop_column(column)
                .take();
            m.alter_table(table).await?;
        }
        Ok(())
    }
}
