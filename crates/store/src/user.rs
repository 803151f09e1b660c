//! People (`domain-rules.md` §12). E-mail addresses are kept in lower case, passwords as hashes:
//! who reads the database cannot sign in.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{login, user};
use crate::password::{Check, checked, hashed};
use crate::token::digest;

mod rights;

pub use crate::entity::user::Model as User;
pub use rights::Rights;

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
        .map_err(|error| taken(error, &email))?;
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

    /// Changes a person's name, and the key of the picture (`Some(None)` takes it away).
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_user(
        &self,
        id: i64,
        name: Option<String>,
        image: Option<Option<String>>,
    ) -> StoreResult<User> {
        let tx = self.write().await?;
        let user = user::Entity::find_by_id(id).one(&*tx).await?;
        let user = user.ok_or(StoreError::NotFound("user"))?;
        if name.is_none() && image.is_none() {
            return Ok(user);
        }
        let mut row = user.into_active_model();
        if let Some(name) = name {
            row.name = Set(name);
        }
        if let Some(image) = image {
            row.image = Set(image);
        }
        let user = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Gives a person another e-mail address.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an address that is none or is taken.
    pub async fn set_email(&self, id: i64, email: &str) -> StoreResult<()> {
        let email = normal_email(email)?;
        let tx = self.write().await?;
        let row = user::ActiveModel {
            email: Set(email.clone()),
            ..Default::default()
        };
        let done = user::Entity::update_many()
            .set(row)
            .filter(user::Column::Id.eq(id))
            .exec(&*tx)
            .await
            .map_err(|error| taken(error, &email))?;
        if done.rows_affected == 0 {
            return Err(StoreError::NotFound("user"));
        }
        tx.commit().await
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
    /// addresses that nobody has. A hash that another program wrote is replaced by our own.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn check_login(&self, email: &str, password: &str) -> StoreResult<Option<User>> {
        let user = self.user_by_email(email).await?;
        let hash = user.as_ref().map(|u| u.password.clone());
        let check = checked(password.to_owned(), hash).await?;
        let Some(user) = user.filter(|u| check != Check::Wrong && u.is_active) else {
            return Ok(None);
        };
        let renewed = match check {
            Check::RightAndOld => Some(hashed(password.to_owned()).await?),
            _ => None,
        };
        let tx = self.write().await?;
        if let Some(hash) = renewed {
            let row = user::ActiveModel {
                password: Set(hash),
                ..Default::default()
            };
            // Only in place of the hash that was checked: the person may just have changed it.
            user::Entity::update_many()
                .set(row)
                .filter(user::Column::Id.eq(user.id))
                .filter(user::Column::Password.eq(&user.password))
                .exec(&*tx)
                .await?;
        }
        let mut row = user.into_active_model();
        row.last_login_at = Set(Some(now()));
        let user = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(Some(user))
    }

    /// Gives a person another password and signs out all browsers, but for the one with the
    /// secret `keep`. Tokens stay: a worker must not stop because its owner changed a password.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an empty password; [`StoreError::NotFound`].
    pub async fn set_password(
        &self,
        id: i64,
        password: &str,
        keep: Option<&str>,
    ) -> StoreResult<()> {
        match self.exchange(id, None, password, keep).await? {
            true => Ok(()),
            false => Err(StoreError::NotFound("user")),
        }
    }

    /// The same in place of a forgotten password; false where it is not any more what `user` has.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an empty password.
    pub async fn replace_password(&self, user: &User, password: &str) -> StoreResult<bool> {
        let present = Some(user.password.as_str());
        self.exchange(user.id, present, password, None).await
    }

    async fn exchange(
        &self,
        id: i64,
        present: Option<&str>,
        password: &str,
        keep: Option<&str>,
    ) -> StoreResult<bool> {
        if password.is_empty() {
            return Err(empty_password());
        }
        let row = user::ActiveModel {
            password: Set(hashed(password.to_owned()).await?),
            ..Default::default()
        };
        let mut update = user::Entity::update_many()
            .set(row)
            .filter(user::Column::Id.eq(id));
        if let Some(present) = present {
            update = update.filter(user::Column::Password.eq(present));
        }
        let kept = keep.map(digest).unwrap_or_default();
        let tx = self.write().await?;
        let done = update.exec(&*tx).await?;
        if done.rows_affected == 0 {
            return Ok(false);
        }
        login::Entity::delete_many()
            .filter(login::Column::UserId.eq(id))
            .filter(login::Column::Digest.ne(kept))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(true)
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
}

impl User {
    /// Whether there is a password that could fit.
    pub fn has_password(&self) -> bool {
        crate::password::usable(&self.password)
    }
}

/// The index decides, not a look beforehand: two may come at once.
fn taken(error: DbErr, email: &str) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            let words = format!("A user with the e-mail address {email} exists already.");
            StoreError::Conflict(words)
        }
        _ => error.into(),
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
