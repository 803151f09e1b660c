//! Browsers in which people are signed in. The idea: what the cookie says is worth nothing
//! without its row here, so that signing out, a new password or a deactivated account ends it.

use chrono::Duration;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::connection::{Store, StoreResult, now};
use crate::entity::{login, user};
use crate::token::digest;
use crate::user::User;

/// How long a browser stays signed in.
pub const LIFETIME: Duration = Duration::days(14);

impl Store {
    /// Signs a browser in: the secret for its cookie, returned this once. Those whose time is
    /// over go.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn start_login(&self, user: i64) -> StoreResult<String> {
        let secret = hex::encode(rand::random::<[u8; 20]>());
        let tx = self.write().await?;
        login::Entity::delete_many()
            .filter(login::Column::ExpiresAt.lt(now()))
            .exec(&*tx)
            .await?;
        login::ActiveModel {
            user_id: Set(user),
            digest: Set(digest(&secret)),
            created_at: Set(now()),
            expires_at: Set(now() + LIFETIME),
            ..Default::default()
        }
        .insert(&*tx)
        .await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// The active person who is signed in with this secret, until its time is over.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn user_by_login(&self, secret: &str) -> StoreResult<Option<User>> {
        let found = login::Entity::find()
            .filter(login::Column::Digest.eq(digest(secret)))
            .filter(login::Column::ExpiresAt.gt(now()))
            .find_also_related(user::Entity)
            .one(&self.db)
            .await?;
        let person = found.and_then(|(_, person)| person);
        Ok(person.filter(|person| person.is_active))
    }

    /// Signs a browser out; true if it was signed in.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn end_login(&self, secret: &str) -> StoreResult<bool> {
        let tx = self.write().await?;
        let done = login::Entity::delete_many()
            .filter(login::Column::Digest.eq(digest(secret)))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected > 0)
    }
}
