//! Adds to a token the project for whose jobs alone it works, where it is a worker's, and to a
//! worker what became of its images and how fast it was of late.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        let columns = [
            ("token", big_integer_null("works_for")),
            ("worker", big_integer("done").default(0).take()),
            ("worker", big_integer("failed").default(0).take()),
            ("worker", double_null("rate")),
        ];
        for (table, mut column) in columns {
            let add = Table::alter()
                .table(table)
                .add_column(&mut column)
                .to_owned();
            m.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("token", "works_for"),
            ("worker", "done"),
            ("worker", "failed"),
            ("worker", "rate"),
        ];
        for (table, column) in columns {
            let drop = Table::alter().table(table).drop_column(column).to_owned();
            m.alter_table(drop).await?;
        }
        Ok(())
    }
}
