//! The rule of schema changes, checked: after each migration a program of the version before must
//! be able to go on reading and writing (CONTRIBUTING.md, "Changes of the schema"). What breaks it
//! stands in one of two lists here, or the test fails.

use std::collections::BTreeMap;

use sea_orm_migration::MigratorTrait;

use super::another;
use super::seen::{Column, Schema, Table, schema};
use crate::migration::Migrator;
use crate::testing::blank;

/// What broke the rule before the first release, when nobody ran a version before. Closed: no line
/// is added when that release is out.
const BEFORE_THE_FIRST_RELEASE: &[(&str, &str)] = &[
    ("m0021_pull", "worker must be unique anew"),
    ("m0021_pull", "worker need not be unique any more"),
    ("m0131_schedules", "schedule must be unique anew"),
    ("m0131_schedules", "schedule must point to a row anew"),
    ("m0131_schedules", "schedule.enabled is gone"),
    ("m0131_schedules", "schedule.kind is gone"),
    ("m0131_schedules", "schedule.last_job_id is gone"),
    ("m0131_schedules", "schedule.params is gone"),
    ("m0131_schedules", "schedule.steps is new and must be given"),
    (
        "m0131_schedules",
        "schedule.time_zone is new and must be given",
    ),
];

/// What was taken away after every program that is still in use had stopped to need it: the
/// migration, what it breaks, and the release that no longer needs it.
const CONTRACTED: &[(&str, &str, &str)] = &[];

#[tokio::test]
async fn a_program_of_the_version_before_can_go_on() {
    let mut broken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for blank in blank().await {
        let store = another(&blank).await;
        let mut before = Schema::new();
        for migration in Migrator::migrations() {
            Migrator::up(&store.db, Some(1)).await.unwrap();
            let after = schema(&store.db).await;
            let breaks = breaks(&before, &after);
            let name = migration.name().to_owned();
            let known = broken.entry(name).or_default();
            known.extend(breaks);
            known.sort();
            known.dedup();
            before = after;
        }
    }
    let mut allowed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let contracted = CONTRACTED.iter().map(|(name, what, _)| (name, what));
    let before = BEFORE_THE_FIRST_RELEASE
        .iter()
        .map(|(name, what)| (name, what));
    for (name, what) in before.chain(contracted) {
        let allowed = allowed.entry((*name).to_owned()).or_default();
        allowed.push((*what).to_owned());
    }
    allowed.values_mut().for_each(|what| what.sort());
    broken.retain(|_, what| !what.is_empty());
    assert_eq!(broken, allowed);
}

/// What a program that knows the schema before would stumble over.
fn breaks(before: &Schema, after: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    for (name, table) in before {
        match after.get(name) {
            None => found.push(format!("the table {name} is gone")),
            Some(now) => found.extend(table_breaks(name, table, now)),
        }
    }
    found
}

fn table_breaks(name: &str, before: &Table, after: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (column, was) in &before.columns {
        match after.columns.get(column) {
            None => found.push(format!("{name}.{column} is gone")),
            Some(is) => {
                found.extend(column_breaks(was, is).map(|why| format!("{name}.{column} {why}")))
            }
        }
    }
    for (column, is) in &after.columns {
        if !before.columns.contains_key(column) && !is.nullable && !is.has_default {
            found.push(format!("{name}.{column} is new and must be given"));
        }
    }
    for what in &after.unique {
        if !before.unique.contains(what) {
            found.push(format!("{name} must be unique anew"));
        }
    }
    for what in &before.unique {
        // A statement with ON CONFLICT names it.
        if !after.unique.contains(what) {
            found.push(format!("{name} need not be unique any more"));
        }
    }
    for what in &after.references {
        let old = before
            .columns
            .keys()
            .any(|column| what.contains(column.as_str()));
        if old && !before.references.contains(what) {
            found.push(format!("{name} must point to a row anew"));
        }
    }
    found
}

fn column_breaks(was: &Column, is: &Column) -> impl Iterator<Item = String> {
    let kind = (was.kind != is.kind).then(|| "changes its type".to_owned());
    let filled = (was.nullable && !is.nullable).then(|| "must not be empty any more".to_owned());
    let given = was.has_default && !is.has_default && !is.nullable;
    let given = given.then(|| "must be given now".to_owned());
    [kind, filled, given].into_iter().flatten()
}

#[test]
fn each_way_to_break_an_older_program_is_seen() {
    let column = |kind: &str, nullable, has_default| Column {
        kind: kind.to_owned(),
        nullable,
        has_default,
    };
    let table = |columns: &[(&str, Column)]| Table {
        columns: columns
            .iter()
            .map(|(n, c)| ((*n).to_owned(), c.clone()))
            .collect(),
        ..Table::default()
    };
    let one = table(&[
        ("id", column("int8", false, true)),
        ("name", column("text", true, false)),
    ]);
    let of = |table: &Table| Schema::from([("moth".to_owned(), table.clone())]);
    let changed = |change: &dyn Fn(&mut Table)| {
        let mut after = one.clone();
        change(&mut after);
        breaks(&of(&one), &of(&after))
    };
    let put = |name: &'static str, to: Column| {
        changed(&move |table: &mut Table| {
            table.columns.insert(name.to_owned(), to.clone());
        })
    };
    assert_eq!(
        breaks(&of(&one), &Schema::new()),
        ["the table moth is gone"]
    );
    let without = |table: &mut Table| drop(table.columns.remove("name"));
    assert_eq!(changed(&without), ["moth.name is gone"]);
    assert_eq!(
        put("name", column("int8", true, false)),
        ["moth.name changes its type"]
    );
    assert_eq!(
        put("name", column("text", false, true)),
        ["moth.name must not be empty any more"]
    );
    assert_eq!(
        put("id", column("int8", false, false)),
        ["moth.id must be given now"]
    );
    assert_eq!(
        put("new", column("text", false, false)),
        ["moth.new is new and must be given"]
    );
    let unique = |table: &mut Table| table.unique.push("name".to_owned());
    assert_eq!(changed(&unique), ["moth must be unique anew"]);
    let points = |table: &mut Table| table.references.push("name to species".to_owned());
    assert_eq!(changed(&points), ["moth must point to a row anew"]);
    // What an older program does not hear of.
    assert!(put("new", column("text", true, false)).is_empty());
    assert!(put("new", column("int8", false, true)).is_empty());
    assert!(put("name", column("text", true, true)).is_empty());
    assert!(breaks(&Schema::new(), &of(&one)).is_empty());
}
