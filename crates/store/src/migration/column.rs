//! Words that all migrations share: a table's id, a reference to another table, an index.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_integer;

/// The number that identifies a row; never used again after a delete.
pub fn id() -> ColumnDef {
    big_integer("id").auto_increment().primary_key().take()
}

/// A foreign key to another table's id.
pub fn reference(
    from: &'static str,
    column: &'static str,
    to: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{from}_{column}"))
        .from(from, column)
        .to(to, "id")
        .on_delete(on_delete)
        .to_owned()
}

/// An index over these columns.
pub fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    named(table, columns, "ix").to_owned()
}

/// A unique index over these columns.
pub fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    named(table, columns, "ux").unique().to_owned()
}

fn named(table: &'static str, columns: &[&'static str], prefix: &str) -> IndexCreateStatement {
    let mut statement = Index::create();
    statement
        .name(format!("{prefix}_{table}_{}", columns.join("_")))
        .table(table);
    for column in columns {
        statement.col(*column);
    }
    statement
}
