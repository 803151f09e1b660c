//! Duties: lists that one process at a time works off, with a place in them (cutting crops, sweeping
//! files). What comes round by the clock is a schedule. The idea: a duty is a row that says when it
//! is due; taking it moves that time on in one guarded update, so of many processes one does it, and
//! one that dies with it only makes it late.

use std::time::Duration;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::connection::{Store, StoreResult, clock, clock_in};
use crate::entity::duty;

/// A duty that this process has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    name: &'static str,
    /// When somebody else may take it: also what shows that it is still ours.
    until: i64,
    /// How far it is; 0 at first.
    pub position: i64,
}

impl Store {
    /// Takes a duty if it is due. Nobody else takes it for this time, unless it is ended earlier.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn take_duty(&self, name: &'static str, time: Duration) -> StoreResult<Option<Turn>> {
        use duty::Column as C;
        let row = duty::Entity::find_by_id(name).one(&self.db).await?;
        // Most looks end here, without a write.
        if row.as_ref().is_some_and(|row| row.due_at > clock()) {
            return Ok(None);
        }
        let tx = self.write().await?;
        if row.is_none() {
            let first = duty::ActiveModel {
                name: Set(name.to_owned()),
                due_at: Set(0),
                position: Set(0),
            };
            duty::Entity::insert(first)
                .on_conflict(OnConflict::column(C::Name).do_nothing().to_owned())
                .exec_without_returning(&*tx)
                .await?;
        }
        let until = clock_in(time);
        let taken = duty::Entity::update_many()
            .col_expr(C::DueAt, Expr::value(until))
            .filter(C::Name.eq(name))
            .filter(C::DueAt.lte(clock()))
            .exec_with_returning(&*tx)
            .await?;
        tx.commit().await?;
        Ok(taken.into_iter().next().map(|row| Turn {
            name,
            until,
            position: row.position,
        }))
    }

    /// Goes on with a turn: writes down how far it is, and keeps it for this time from now on. None
    /// where it was over meanwhile.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn keep_duty(
        &self,
        turn: Turn,
        position: i64,
        time: Duration,
    ) -> StoreResult<Option<Turn>> {
        use duty::Column as C;
        let until = clock_in(time);
        let tx = self.write().await?;
        let kept = duty::Entity::update_many()
            .col_expr(C::Position, Expr::value(position))
            .col_expr(C::DueAt, Expr::value(until))
            .filter(C::Name.eq(turn.name))
            .filter(C::DueAt.eq(turn.until))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok((kept.rows_affected > 0).then_some(Turn {
            until,
            position,
            ..turn
        }))
    }

    /// Ends a turn: how far it is now, and when it is due again. A turn that was over meanwhile
    /// changes nothing.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn end_duty(&self, turn: Turn, position: i64, again: Duration) -> StoreResult<()> {
        use duty::Column as C;
        let tx = self.write().await?;
        duty::Entity::update_many()
            .col_expr(C::Position, Expr::value(position))
            .col_expr(C::DueAt, Expr::value(clock_in(again)))
            .filter(C::Name.eq(turn.name))
            .filter(C::DueAt.eq(turn.until))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}
