//! People and their tokens. Passwords stay as Django hashed them and are renewed at the next login;
//! of a token only the digest is kept, so it goes on working.

use super::step::{About, Rows};
use crate::entity::{token, user};

pub(super) const USERS: Rows<user::Entity> = Rows {
    about: About::new("users_user", "user"),
    row: |line, _| {
        Ok(user::Model {
            id: line.key,
            email: line.get::<String>("email")?.to_lowercase(),
            password: line.words("password")?,
            name: line.words("name")?,
            image: line.text("image")?,
            is_staff: line.opt("is_staff")?.unwrap_or(false),
            is_superuser: line.opt("is_superuser")?.unwrap_or(false),
            is_active: line.opt("is_active")?.unwrap_or(true),
            created_at: line.get("date_joined")?,
            last_login_at: line.opt("last_login")?,
        })
    },
};

/// Antenna has one token for each person and no number for it; here it gets the person's.
pub(super) const TOKENS: Rows<token::Entity> = Rows {
    about: About {
        key: "user_id",
        needs: &[("user_id", "user")],
        ..About::new("authtoken_token", "token")
    },
    row: |line, _| {
        Ok(token::Model {
            id: line.key,
            user_id: line.key,
            digest: crate::token::digest(&line.get::<String>("key")?),
            name: "Antenna".to_owned(),
            created_at: line.get("created")?,
            last_used_at: None,
            works_for: None,
        })
    },
};
