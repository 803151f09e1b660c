//! What rows of Antenna's point to. The idea: before a page is written, each id in it is looked up
//! among what has come over; a row that cannot be without stays behind, another one comes without
//! the link, and both are counted.

use std::collections::HashSet;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, QueryResult};

use super::line::Line;
use super::projects::Roles;
use super::step::{About, Step};
use super::{Terms, step};
use crate::connection::{StoreResult, Write};

/// A column of Antenna's and the table of Hawkmoth that it points to.
pub(super) type Link = (&'static str, &'static str);

/// What all rows are read with.
pub(super) struct World {
    pub(super) terms: Terms,
    pub(super) roles: Roles,
    /// The address of the source, without its password.
    pub(super) source: String,
}

/// The lines that can come, without links to what has not.
pub(super) async fn checked(
    tx: &Write,
    about: &About,
    mut lines: Vec<Line>,
    step: &mut Step,
) -> StoreResult<Vec<Line>> {
    for (column, table) in about.needs {
        let there = existing(tx, table, &lines, column).await?;
        lines.retain(|line| {
            let found = line.id(column).is_none_or(|id| there.contains(&id));
            if !found {
                let reason = format!("left out: its {column} is not there");
                step::lose(step, &reason, line.key);
            }
            found
        });
    }
    for (column, table) in about.links {
        let there = existing(tx, table, &lines, column).await?;
        cut(&mut lines, column, step, |_, id| there.contains(&id));
    }
    for (column, _) in about.own {
        let there = existing(tx, about.into, &lines, column).await?;
        let here: HashSet<i64> = lines.iter().map(|line| line.key).collect();
        for line in &mut lines {
            // Those that come later are written when all are there: `step::mend`.
            if line.id(column).is_some_and(|id| id > line.key) {
                line.clear(column);
            }
        }
        cut(&mut lines, column, step, |_, id| {
            there.contains(&id) || here.contains(&id)
        });
    }
    for line in &lines {
        for column in about.leaves {
            if !line.says_nothing(column) {
                let reason = format!("came without its {column}, which has no place here");
                step::lose(step, &reason, line.key);
            }
        }
    }
    Ok(lines)
}

fn cut(lines: &mut [Line], column: &str, step: &mut Step, there: impl Fn(&Line, i64) -> bool) {
    for line in lines {
        if line.id(column).is_some_and(|id| !there(line, id)) {
            let reason = format!("came without its {column}, which is not there");
            step::lose(step, &reason, line.key);
            line.clear(column);
        }
    }
}

/// Which of the rows that a column points to are there.
async fn existing(
    tx: &Write,
    table: &str,
    lines: &[Line],
    column: &str,
) -> StoreResult<HashSet<i64>> {
    let asked: HashSet<i64> = lines.iter().filter_map(|line| line.id(column)).collect();
    there(tx, table, &asked.into_iter().collect::<Vec<_>>()).await
}

/// Which of these rows are there.
pub(super) async fn there(tx: &Write, table: &str, ids: &[i64]) -> StoreResult<HashSet<i64>> {
    let mut found = HashSet::with_capacity(ids.len());
    for chunk in ids.chunks(1000) {
        let mut select = Query::select();
        select
            .column(Alias::new("id"))
            .from(Alias::new(table.to_owned()))
            .and_where(Expr::col(Alias::new("id")).is_in(chunk.iter().copied()));
        let rows = tx.query_all(&select).await?;
        let ids = rows
            .iter()
            .map(|row: &QueryResult| row.try_get::<i64>("", "id"));
        found.extend(ids.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}
