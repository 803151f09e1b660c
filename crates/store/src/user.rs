//! People and their tokens (`domain-rules.md` §12). E-mail addresses are kept in lower case,
//! passwords as argon2 hashes, tokens only as their SHA-256: who reads the database cannot
//! sign in.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use chrono::Duration;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, SqlErr,
};
use sha2::{Digest, Sha256};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{token, user};

pub use crate::entity::user::Model as User;

/// What it takes to make a person.
#[derive(Clone, Default)]
pub struct NewUser {
    /// E-mail address, the name to sign in with.
    pub email: String,
    /// Password.
    pub password: String,
    /// Name shown to others.
    pub name: String,
    /// May change what belongs to no project.
    pub is_staff: bool,
    /// May see and do everything.
    pub is_superuser: bool,
}

/// A token's last use is written down this often at most.
const USE_EVERY: Duration = Duration::minutes(1);

impl Store {
    /// Makes a person.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with a sentence for an address that is none or is taken, and
    /// for an empty password.
    pub async fn create_user(&self, new: NewUser) -> StoreResult<User> {
        let email = normal_email(&new.email)?;
        if new.password.is_empty() {
            return Err(empty_password());
        }
        let hash = hashed(new.password).await?;
        let tx = self.write().await?;
        let user = user::ActiveModel {
            email: Set(email.clone()),
            password: Set(hash),
            name: Set(new.name),
            image: Set(None),
            is_staff: Set(new.is_staff),
            is_superuser: Set(new.is_superuser),
            is_active: Set(true),
            created_at: Set(now()),
            last_login_at: Set(None),
            ..Default::default()
        }
        .insert(&*tx)
        .await
        .map_err(|error| match error.sql_err() {
            // The index decides, not a look beforehand: two may come at once.
            Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Conflict(format!(
                "A user with the e-mail address {email} exists already."
            )),
            _ => error.into(),
        })?;
        tx.commit().await?;
        Ok(user)
    }

    /// The person with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn user(&self, id: i64) -> StoreResult<User> {
        user::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("user"))
    }

    /// A page of people by id, of all or only of one, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn users(
        &self,
        only: Option<i64>,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<User>, u64)> {
        let mut select = user::Entity::find();
        if let Some(id) = only {
            select = select.filter(user::Column::Id.eq(id));
        }
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .order_by_asc(user::Column::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok((rows, count))
    }

    /// Deletes a person with tokens and memberships; what the person made stays.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_user(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        user::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }

    /// Changes a person's name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn rename_user(&self, id: i64, name: &str) -> StoreResult<User> {
        let tx = self.write().await?;
        let user = user::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = user
            .ok_or(StoreError::NotFound("user"))?
            .into_active_model();
        row.name = Set(name.to_owned());
        let user = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The person with this e-mail address, in whatever case it is written.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn user_by_email(&self, email: &str) -> StoreResult<Option<User>> {
        Ok(user::Entity::find()
            .filter(user::Column::Email.eq(email.trim().to_lowercase()))
            .one(&self.db)
            .await?)
    }

    /// The person, if address and password fit and the account is active. Costs the same for
    /// addresses that nobody has.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn check_login(&self, email: &str, password: &str) -> StoreResult<Option<User>> {
        let user = self.user_by_email(email).await?;
        let hash = user.as_ref().map(|u| u.password.clone());
        let fits = verified(password.to_owned(), hash).await?;
        let Some(user) = user.filter(|u| fits && u.is_active) else {
            return Ok(None);
        };
        let tx = self.write().await?;
        let mut row = user.into_active_model();
        row.last_login_at = Set(Some(now()));
        let user = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(Some(user))
    }

    /// Gives a person another password.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an empty password; [`StoreError::NotFound`].
    pub async fn set_password(&self, id: i64, password: &str) -> StoreResult<()> {
        if password.is_empty() {
            return Err(empty_password());
        }
        let hash = hashed(password.to_owned()).await?;
        let tx = self.write().await?;
        let done = user::Entity::update_many()
            .set(user::ActiveModel {
                password: Set(hash),
                ..Default::default()
            })
            .filter(user::Column::Id.eq(id))
            .exec(&*tx)
            .await?;
        if done.rows_affected == 0 {
            return Err(StoreError::NotFound("user"));
        }
        tx.commit().await
    }

    /// True where an active superuser exists: somebody can sign in and do everything.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn superuser_exists(&self) -> StoreResult<bool> {
        let count = user::Entity::find()
            .filter(user::Column::IsSuperuser.eq(true))
            .filter(user::Column::IsActive.eq(true))
            .count(&self.db)
            .await?;
        Ok(count > 0)
    }

    /// Makes a token: 40 hexadecimal digits, returned this once and stored as a hash.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_token(&self, user: i64, name: &str) -> StoreResult<String> {
        let text = hex::encode(rand::random::<[u8; 20]>());
        let tx = self.write().await?;
        token::ActiveModel {
            user_id: Set(user),
            digest: Set(digest(&text)),
            name: Set(name.to_owned()),
            created_at: Set(now()),
            last_used_at: Set(None),
            ..Default::default()
        }
        .insert(&*tx)
        .await?;
        tx.commit().await?;
        Ok(text)
    }

    /// The active person to whom this token belongs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn user_by_token(&self, text: &str) -> StoreResult<Option<User>> {
        let token = token::Entity::find()
            .filter(token::Column::Digest.eq(digest(text)))
            .one(&self.db)
            .await?;
        let Some(token) = token else {
            return Ok(None);
        };
        let user = self.user(token.user_id).await?;
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
        Ok(Some(user).filter(|u| u.is_active))
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

fn empty_password() -> StoreError {
    StoreError::Conflict("The password must not be empty.".to_owned())
}

fn normal_email(text: &str) -> StoreResult<String> {
    let email = text.trim().to_lowercase();
    let sound = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if sound && !email.contains(char::is_whitespace) {
        Ok(email)
    } else {
        Err(StoreError::Conflict(format!(
            "{text:?} is not a valid e-mail address."
        )))
    }
}

pub(crate) fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Hashing takes tens of milliseconds, so not on the threads that serve others.
async fn hashed(password: String) -> StoreResult<String> {
    let hash = tokio::task::spawn_blocking(move || {
        let salt: [u8; 16] = rand::random();
        Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
    });
    match hash.await {
        Ok(Ok(hash)) => Ok(hash),
        Ok(Err(error)) => Err(StoreError::Unreadable(error.to_string())),
        Err(error) => Err(StoreError::Unreadable(error.to_string())),
    }
}

async fn verified(password: String, hash: Option<String>) -> StoreResult<bool> {
    let Some(hash) = hash else {
        hashed(password).await?;
        return Ok(false);
    };
    let check = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&hash).is_ok_and(|parsed| {
            Argon2::default()
                .verify_password(password.as_bytes(), &parsed)
                .is_ok()
        })
    });
    check
        .await
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}
