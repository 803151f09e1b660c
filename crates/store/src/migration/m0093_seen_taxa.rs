//! Creates the table seen_taxon: what a large project has seen of each taxon, as it was counted
//! last. Counts projects again whose default filters name taxa: their counters looked at scores
//! only.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{index, reference};
use sea_orm_migration::prelude::ForeignKeyAction::Cascade;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "seen_taxon";
const COUNTED: &str = "taxa_counted_at";

const RECOUNT: &str = "UPDATE project SET recount_after = 0 \
    WHERE EXISTS (SELECT 1 FROM project_filter_taxon f WHERE f.project_id = project.id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table(TABLE)
                .col(big_integer("project_id"))
                .col(big_integer("taxon_id"))
                .col(big_integer("occurrences"))
                .col(double_null("best_score"))
                .col(timestamp_null("last_seen_at"))
                .primary_key(Index::create().col("project_id").col("taxon_id"))
                .foreign_key(&mut reference(TABLE, "project_id", "project", Cascade))
                .foreign_key(&mut reference(TABLE, "taxon_id", "taxon", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index(TABLE, &["taxon_id"])).await?;
        let mut column = timestamp_with_time_zone_null(COUNTED);
        let table = Table::alter()
            .table("project")
            .add_column(&mut column)
            .take();
        m.alter_table(table).await?;
        m.get_connection().execute_unprepared(RECOUNT).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter().table("project").drop_column(COUNTED).take();
        m.alter_table(table).await?;
        m.drop_table(Table::drop().table(TABLE).to_owned()).await
    }
}
