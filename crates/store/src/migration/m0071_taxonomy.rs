//! What people say about taxa: identifications, tags, lists of projects, names elsewhere.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, index, reference};
use sea_orm_migration::prelude::ForeignKeyAction::{Cascade, SetNull};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A table that only links rows of two others.
fn link(
    table: &'static str,
    one: (&'static str, &'static str),
    other: (&'static str, &'static str),
) -> TableCreateStatement {
    Table::create()
        .table(table)
        .col(big_integer(one.0))
        .col(big_integer(other.0))
        .primary_key(Index::create().col(one.0).col(other.0))
        .foreign_key(&mut reference(table, one.0, one.1, Cascade))
        .foreign_key(&mut reference(table, other.0, other.1, Cascade))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [
            big_integer_null("inat_taxon_id"),
            string_null("fieldguide_id"),
            string_null("cover_image_url"),
            string_null("cover_image_credit"),
        ] {
            let add = Table::alter()
                .table("taxon")
                .add_column(&mut column)
                .to_owned();
            m.alter_table(add).await?;
        }
        let (taxon, project) = (("taxon_id", "taxon"), ("project_id", "project"));
        let (list, tag) = (("taxa_list_id", "taxa_list"), ("tag_id", "tag"));
        m.create_table(link("taxon_project", taxon, project))
            .await?;
        m.create_index(index("taxon_project", &["project_id"]))
            .await?;
        m.create_table(link("taxa_list_project", list, project))
            .await?;
        m.create_index(index("taxa_list_project", &["project_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("tag")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(string("name"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("tag", "project_id", "project", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index("tag", &["project_id"])).await?;
        m.create_table(link("taxon_tag", taxon, tag)).await?;
        m.create_index(index("taxon_tag", &["tag_id"])).await?;
        let table = "identification";
        m.create_table(
            Table::create()
                .table(table)
                .col(id())
                .col(big_integer("occurrence_id"))
                .col(big_integer_null("taxon_id"))
                .col(big_integer_null("user_id"))
                .col(text("comment"))
                .col(boolean("withdrawn"))
                .col(big_integer_null("agreed_with_identification_id"))
                .col(big_integer_null("agreed_with_prediction_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    table,
                    "occurrence_id",
                    "occurrence",
                    Cascade,
                ))
                .foreign_key(&mut reference(table, "taxon_id", "taxon", SetNull))
                .foreign_key(&mut reference(table, "user_id", "user", SetNull))
                .foreign_key(&mut reference(
                    table,
                    "agreed_with_identification_id",
                    table,
                    SetNull,
                ))
                .foreign_key(&mut reference(
                    table,
                    "agreed_with_prediction_id",
                    "classification",
                    SetNull,
                ))
                .to_owned(),
        )
        .await?;
        for column in [
            "occurrence_id",
            "taxon_id",
            "user_id",
            "agreed_with_identification_id",
            "agreed_with_prediction_id",
        ] {
            m.create_index(index(table, &[column])).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "identification",
            "taxon_tag",
            "tag",
            "taxa_list_project",
            "taxon_project",
        ] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for column in [
            "inat_taxon_id",
            "fieldguide_id",
            "cover_image_url",
            "cover_image_credit",
        ] {
            let drop = Table::alter().table("taxon").drop_column(column).to_owned();
            m.alter_table(drop).await?;
        }
        Ok(())
    }
}
