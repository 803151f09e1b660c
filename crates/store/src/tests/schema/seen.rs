//! What a database says of its own schema, as far as an older program could stumble over it.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};

/// Tables by their names.
pub type Schema = BTreeMap<String, Table>;

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Columns by their names.
    pub columns: BTreeMap<String, Column>,
    /// What must be unique: the columns and the condition, as the database tells them.
    pub unique: Vec<String>,
    /// What must be there: a column and the table it points to.
    pub references: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its type.
    pub kind: String,
    /// Whether it may hold nothing.
    pub nullable: bool,
    /// Whether a row that does not name it gets a value.
    pub has_default: bool,
}

/// The present schema, without the list of migrations.
pub async fn schema(db: &DatabaseConnection) -> Schema {
    let mut tables = Schema::new();
    let sqlite = db.get_database_backend() == DbBackend::Sqlite;
    for row in rows(db, if sqlite { SQLITE_COLUMNS } else { COLUMNS }).await {
        let column = Column {
            kind: text(&row, "kind"),
            nullable: text(&row, "nullable") == "yes",
            has_default: text(&row, "has_default") == "yes",
        };
        let table = tables.entry(text(&row, "tab")).or_default();
        table.columns.insert(text(&row, "name"), column);
    }
    for row in rows(db, if sqlite { SQLITE_UNIQUE } else { UNIQUE }).await {
        let table = tables.entry(text(&row, "tab")).or_default();
        table.unique.push(text(&row, "what"));
    }
    for row in rows(
        db,
        if sqlite {
            SQLITE_REFERENCES
        } else {
            REFERENCES
        },
    )
    .await
    {
        let table = tables.entry(text(&row, "tab")).or_default();
        table.references.push(text(&row, "what"));
    }
    tables.remove("seaql_migrations");
    tables
}

async fn rows(db: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await.unwrap()
}

fn text(row: &QueryResult, column: &str) -> String {
    row.try_get("", column).unwrap()
}

const COLUMNS: &str = "SELECT table_name::text AS tab, column_name::text AS name, \
    udt_name::text AS kind, lower(is_nullable) AS nullable, \
    CASE WHEN column_default IS NULL AND is_identity = 'NO' THEN 'no' ELSE 'yes' END AS has_default \
    FROM information_schema.columns WHERE table_schema = current_schema()";

const SQLITE_COLUMNS: &str = "SELECT t.name AS tab, c.name AS name, lower(c.type) AS kind, \
    CASE WHEN c.\"notnull\" = 0 AND c.pk = 0 THEN 'yes' ELSE 'no' END AS nullable, \
    CASE WHEN c.dflt_value IS NULL AND NOT (c.pk = 1 AND lower(c.type) = 'integer') THEN 'no' \
    ELSE 'yes' END AS has_default \
    FROM sqlite_master t JOIN pragma_table_info(t.name) c \
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";

const UNIQUE: &str = "SELECT c.relname::text AS tab, \
    substring(pg_get_indexdef(i.indexrelid) from 'USING .*') AS what \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE i.indisunique AND n.nspname = current_schema() ORDER BY 1, 2";

const SQLITE_UNIQUE: &str = "SELECT t.name AS tab, \
    group_concat(coalesce(c.name, 'an expression'), ', ') || \
    coalesce(substr(x.sql, instr(upper(x.sql), ' WHERE ')), '') AS what \
    FROM sqlite_master t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c \
    LEFT JOIN sqlite_master x ON x.type = 'index' AND x.name = i.name AND instr(upper(x.sql), ' WHERE ') > 0 \
    WHERE t.type = 'table' AND i.\"unique\" = 1 GROUP BY t.name, i.name ORDER BY 1, 2";

const REFERENCES: &str = "SELECT c.conrelid::regclass::text AS tab, \
    pg_get_constraintdef(c.oid) AS what \
    FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace \
    WHERE c.contype = 'f' AND n.nspname = current_schema() ORDER BY 1, 2";

const SQLITE_REFERENCES: &str = "SELECT t.name AS tab, f.\"from\" || ' to ' || f.\"table\" AS what \
    FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f \
    WHERE t.type = 'table' ORDER BY 1, 2";
