//! People, the tokens they sign in with, and their roles, which Antenna keeps as groups named
//! `<project>_<name of the project>_<role>`; the highest one counts.

use std::collections::HashMap;
use std::path::Path;

use domain::permission::Role;
use store::testing::rows::{Row, token_digest};

use super::Table;
use crate::golden::sheet::{self, Line};

pub const USERS: Table = Table {
    name: "users_user",
    needs: &[],
    links: &[],
    rows: |line| {
        vec![
            Row::new("user")
                .int("id", line.int("id"))
                .text("email", line.text("email").to_lowercase())
                .text("password", line.text("password"))
                .text("name", line.text("name"))
                .text_or_null("image", line.some_text("image"))
                .bool("is_staff", line.bool("is_staff"))
                .bool("is_superuser", line.bool("is_superuser"))
                .bool("is_active", line.bool("is_active"))
                .instant("created_at", line.instant("date_joined"))
                .instant("last_login_at", line.instant("last_login")),
        ]
    },
};

pub const TOKENS: Table = Table {
    name: "authtoken_token",
    needs: &[("user_id", "users_user")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("token")
                .int("user_id", line.int("user_id"))
                .text("digest", token_digest(&line.text("key")))
                .text("name", "")
                .instant("created_at", line.instant("created")),
        ]
    },
};

/// The role of each person in each project.
pub struct Roles(HashMap<(i64, i64), Role>);

/// Reads the groups.
pub fn roles(folder: &Path) -> Roles {
    let groups: HashMap<i64, String> = sheet::read(folder, "auth_group")
        .iter()
        .map(|line| (line.int("id").unwrap(), line.text("name")))
        .collect();
    let mut found = HashMap::new();
    for line in sheet::read(folder, "users_user_groups") {
        let name = &groups[&line.int("group_id").unwrap()];
        let (project, rest) = name.split_once('_').unwrap();
        let role = rest
            .rsplit_once('_')
            .and_then(|(_, key)| Role::from_key(key));
        let key = (project.parse().unwrap(), line.int("user_id").unwrap());
        let role = role.unwrap();
        let best = found.entry(key).or_insert(role);
        *best = role.max(*best);
    }
    Roles(found)
}

impl Roles {
    /// Adds the role to the row of a membership.
    pub fn complete(&self, line: &Line, row: Row) -> Row {
        if row.table != "membership" {
            return row;
        }
        let id = |column| line.int(column).unwrap();
        let role = self.0.get(&(id("project_id"), id("user_id")));
        row.text("role", role.unwrap_or(&Role::BasicMember).key())
    }
}
