//! A person who signs in, by e-mail (`domain-rules.md` §12).
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Stored in lower case.
    #[sea_orm(unique)]
    pub email: String,
    /// Argon2, or one of Django's hashes until the next login.
    pub password: String,
    pub name: String,
    pub image: Option<String>,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub is_active: bool,
    pub created_at: DateTimeUtc,
    pub last_login_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
