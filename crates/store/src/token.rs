//! Tokens: what a program or a browser sends instead of a password. Kept only as their SHA-256,
//! several for each person, so that ending one ends no other.

use chrono::Duration;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use sha2::{Digest, Sha256};

use crate::connection::{Store, StoreResult, now};
use crate::entity::{token, user};
use crate::user::User;

pub use crate::entity::token::Model as Token;

/// A token's last use is written down this often at most.
const USE_EVERY: Duration = Duration::minutes(1);

impl Store {
    /// Makes a token: 40 hexadecimal digits, returned this once and stored as a hash.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_token(&self, user: i64, name: &str) -> StoreResult<String> {
        Ok(self.make_token(user, name).await?.1)
    }

    /// Makes a token: its row, and the text as in [`Store::create_token`].
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn make_token(&self, user: i64, name: &str) -> StoreResult<(Token, String)> {
        self.make_token_for(user, name, None).await
    }

    /// The same for a worker, which may work on the jobs of this project and nothing else.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn make_token_for(
        &self,
        user: i64,
        name: &str,
        works_for: Option<i64>,
    ) -> StoreResult<(Token, String)> {
        let text = hex::encode(rand::random::<[u8; 20]>());
        let tx = self.write().await?;
        let row = token::ActiveModel {
            user_id: Set(user),
            digest: Set(digest(&text)),
            name: Set(name.to_owned()),
            created_at: Set(now()),
            last_used_at: Set(None),
            works_for: Set(works_for),
            ..Default::default()
        }
        .insert(&*tx)
        .await?;
        tx.commit().await?;
        Ok((row, text))
    }

    /// A page of a person's tokens, newest first, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn tokens(
        &self,
        user: i64,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Token>, u64)> {
        let select = token::Entity::find().filter(token::Column::UserId.eq(user));
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .order_by_desc(token::Column::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok((rows, count))
    }

    /// Ends one of a person's tokens; true if it was there.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn end_token(&self, user: i64, id: i64) -> StoreResult<bool> {
        let tx = self.write().await?;
        let done = token::Entity::delete_many()
            .filter(token::Column::Id.eq(id))
            .filter(token::Column::UserId.eq(user))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected > 0)
    }

    /// The active person to whom this token belongs, and the project for whose jobs alone it
    /// works, where it is a worker's.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn user_by_token(&self, text: &str) -> StoreResult<Option<(User, Option<i64>)>> {
        let found = token::Entity::find()
            .filter(token::Column::Digest.eq(digest(text)))
            .find_also_related(user::Entity)
            .one(&self.db)
            .await?;
        let Some((token, Some(user))) = found else {
            return Ok(None);
        };
        let stale = token.last_used_at.is_none_or(|at| now() - at > USE_EVERY);
        if user.is_active && stale {
            let tx = self.write().await?;
            token::Entity::update_many()
                .set(token::ActiveModel {
                    last_used_at: Set(Some(now())),
                    ..Default::default()
                })
                .filter(token::Column::Id.eq(token.id))
                .exec(&*tx)
                .await?;
            tx.commit().await?;
        }
        let active = Some(user).filter(|user| user.is_active);
        Ok(active.map(|user| (user, token.works_for)))
    }

    /// Deletes a token; true if it was there.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_token(&self, text: &str) -> StoreResult<bool> {
        let tx = self.write().await?;
        let done = token::Entity::delete_many()
            .filter(token::Column::Digest.eq(digest(text)))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected > 0)
    }
}

/// What is stored of a secret.
pub(crate) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
