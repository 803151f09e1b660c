//! The people of the demo's project, one for each thing that a role may do. The idea: each can
//! sign in and see the pages as that role sees them.

use domain::permission::Role;
use store::Store;

use super::prepare::person;

/// Address, name and role. The first two name what was found.
const PEOPLE: [(&str, &str, Role); 5] = [
    ("ada@hawkmoth.local", "Ada Larch", Role::Identifier),
    ("ben@hawkmoth.local", "Ben Alder", Role::Identifier),
    ("cleo@hawkmoth.local", "Cleo Rowan", Role::MlDataManager),
    ("dan@hawkmoth.local", "Dan Willow", Role::Researcher),
    ("eve@hawkmoth.local", "Eve Hazel", Role::BasicMember),
];

/// Those who name things: the first names them, the second agrees with some of it.
pub struct Team {
    pub first: i64,
    pub second: i64,
}

/// Finds everybody, or makes them members and prints how they sign in.
pub async fn gather(store: &Store, project: i64) -> anyhow::Result<Team> {
    let mut ids = Vec::new();
    for (email, name, role) in PEOPLE {
        let user = match store.user_by_email(email).await? {
            Some(user) => user,
            None => {
                let (user, password) = person(store, email, name, false).await?;
                store.set_role(project, user.id, role).await?;
                println!("  {:<16} {email}, password {password}", role.display_name());
                user
            }
        };
        ids.push(user.id);
    }
    Ok(Team {
        first: ids[0],
        second: ids[1],
    })
}
