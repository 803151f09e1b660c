//! `hawkmoth user …`: people and their tokens, from the command line.

use anyhow::Context;
use store::user::NewUser;

use crate::settings;
use crate::startup::open_store;

/// `hawkmoth user create`.
///
/// # Errors
/// Where the e-mail address is taken or none.
pub async fn create(new: settings::NewUser) -> anyhow::Result<()> {
    let store = open_store(&new.place).await?;
    let user = store
        .create_user(NewUser {
            email: new.email,
            password: new.password,
            name: new.name,
            is_staff: new.superuser,
            is_superuser: new.superuser,
        })
        .await?;
    println!("Made user {} ({})", user.id, user.email);
    Ok(())
}

/// `hawkmoth user token`.
///
/// # Errors
/// Where there is no such person.
pub async fn token(of: settings::TokenOf) -> anyhow::Result<()> {
    let store = open_store(&of.place).await?;
    let user = store
        .user_by_email(&of.email)
        .await?
        .with_context(|| format!("there is no user {}", of.email))?;
    println!("{}", store.create_token(user.id, "command line").await?);
    Ok(())
}
