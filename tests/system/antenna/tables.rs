//! The tables of the recorded Antenna, made and filled in a database of their own. The idea: which
//! columns there are stands in `columns.csv`, which of them point where in `constraints.csv`, and
//! a row is a text for each column.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use store::testing::foreign::Foreign;

/// A row: what stands in each column. An empty text is NULL where the column may be.
pub type Record = HashMap<String, String>;

/// The rows of a file.
pub fn read(file: &Path) -> Vec<Record> {
    let mut reader = csv::Reader::from_path(file).unwrap_or_else(|e| panic!("{file:?}: {e}"));
    let names = reader.headers().unwrap().clone();
    let record = |record: csv::StringRecord| {
        let pairs = names.iter().zip(record.iter());
        pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    };
    reader.records().map(|r| record(r.unwrap())).collect()
}

struct Column {
    name: String,
    kind: String,
    may_be_empty: bool,
}

/// A column that names a row of another table.
pub struct Key {
    pub column: String,
    pub of: String,
    pub may_be_empty: bool,
}

/// All tables by name.
pub struct Tables {
    columns: BTreeMap<String, Vec<Column>>,
    keys: HashMap<String, Vec<Key>>,
}

impl Tables {
    /// Reads which there are.
    pub fn of(folder: &Path) -> Tables {
        let mut columns: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        for line in read(&folder.join("columns.csv")) {
            let of_table = columns.entry(line["table_name"].clone()).or_default();
            of_table.push(Column {
                name: line["column_name"].clone(),
                kind: line["udt_name"].clone(),
                may_be_empty: line["is_nullable"] == "YES",
            });
        }
        let mut keys: HashMap<String, Vec<Key>> = HashMap::new();
        for line in read(&folder.join("constraints.csv")) {
            let table = &line["table_name"];
            if let Some((column, of)) = names(&line["definition"]) {
                let known = columns[table].iter().find(|known| known.name == column);
                let may_be_empty = known.is_some_and(|known| known.may_be_empty);
                let of_table = keys.entry(table.clone()).or_default();
                of_table.push(Key {
                    column,
                    of,
                    may_be_empty,
                });
            }
        }
        Tables { columns, keys }
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.columns.keys()
    }

    /// What a table's rows point to.
    pub fn keys(&self, table: &str) -> &[Key] {
        self.keys.get(table).map_or(&[], Vec::as_slice)
    }

    /// The statements that make all of them.
    pub fn made(&self) -> String {
        let tables = self.columns.iter().map(|(table, columns)| {
            let columns = columns.iter().map(|c| format!("\"{}\" {}", c.name, c.kind));
            let columns: Vec<String> = columns.collect();
            format!("CREATE TABLE \"{table}\" ({});", columns.join(", "))
        });
        tables.collect()
    }

    fn row(&self, table: &str, record: &Record) -> String {
        let values = self.columns[table].iter().map(|column| {
            let value = record.get(&column.name).map_or("", String::as_str);
            match value.is_empty() && column.may_be_empty {
                true => "NULL".to_owned(),
                false => format!("'{}'::{}", value.replace('\'', "''"), column.kind),
            }
        });
        format!("({})", values.collect::<Vec<_>>().join(", "))
    }
}

/// Column and table of `FOREIGN KEY (job_id) REFERENCES jobs_job(id) …`.
fn names(definition: &str) -> Option<(String, String)> {
    let rest = definition.strip_prefix("FOREIGN KEY (")?;
    let (column, rest) = rest.split_once(") REFERENCES ")?;
    let (table, _) = rest.split_once("(id)")?;
    Some((column.to_owned(), table.to_owned()))
}

/// Writes rows into a table.
pub async fn fill(foreign: &Foreign, tables: &Tables, table: &str, records: &[Record]) {
    for records in records.chunks(500) {
        let rows: Vec<String> = records.iter().map(|row| tables.row(table, row)).collect();
        let rows = rows.join(", ");
        // In the order in which the table was made.
        foreign
            .run(&format!("INSERT INTO \"{table}\" VALUES {rows}"))
            .await;
    }
}
