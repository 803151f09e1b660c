//! Jobs by what they are about, the newest first: a capture set shows its last jobs and a capture those
//! that went over its station and its sets, however many ran over others, or were of another kind.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const NEW: [&[&str]; 4] = [
    &["capture_set_id", "id"],
    &["capture_set_id", "kind", "id"],
    &["station_id", "id"],
    &["station_id", "kind", "id"],
];
/// What begins with the same column finds them too.
const OLD: [&[&str]; 2] = [&["capture_set_id"], &["station_id"]];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in NEW {
            m.create_index(index("job", columns)).await?;
        }
        for columns in OLD {
            m.drop_index(dropped(columns)).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in OLD {
            m.create_index(index("job", columns)).await?;
        }
        for columns in NEW {
            m.drop_index(dropped(columns)).await?;
        }
        Ok(())
    }
}

fn dropped(columns: &[&str]) -> IndexDropStatement {
    let name = format!("ix_job_{}", columns.join("_"));
    Index::drop().name(name).table("job").to_owned()
}
