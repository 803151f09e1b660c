//! Which algorithms classified a box is read in the index alone: lists of occurrences ask it of as
//! many boxes as a project has.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

fn narrow() -> IndexCreateStatement {
    index("classification", &["detection_id"])
}

fn wide() -> IndexCreateStatement {
    index("classification", &["detection_id", "algorithm_id"])
}

fn dropped(columns: &str) -> IndexDropStatement {
    let name = format!("ix_classification_{columns}");
    Index::drop().name(name).table("classification").to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(wide()).await?;
        m.drop_index(dropped("detection_id")).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(narrow()).await?;
        m.drop_index(dropped("detection_id_algorithm_id")).await
    }
}
