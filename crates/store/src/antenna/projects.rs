//! Projects, their members and the members' roles. Antenna keeps a role as a group named
//! `<project>_<name of the project>_<role>`, with permissions for that project; of several the
//! highest counts, and Hawkmoth's rules of that role take the place of the permissions.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::permission::Role;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter};

use super::line::Line;
use super::link::World;
use super::source;
use super::step::{About, Bring, Rows, Step, insert, lose};
use crate::connection::{StoreResult, Write, now};
use crate::entity::{membership, project};

pub(super) const PROJECTS: Rows<project::Entity> = Rows {
    about: About {
        links: &[
            ("owner_id", "user"),
            ("default_processing_pipeline_id", "pipeline"),
        ],
        ..About::new("main_project", "project")
    },
    row: |line, _| {
        Ok(project::Model {
            id: line.key,
            name: line.get("name")?,
            description: line.words("description")?,
            image: line.text("image")?,
            draft: line.opt("draft")?.unwrap_or(false),
            active: line.opt("active")?.unwrap_or(true),
            priority: line.opt("priority")?.unwrap_or(1),
            owner_id: line.opt("owner_id")?,
            feature_flags: line.object("feature_flags")?,
            session_time_gap_seconds: line.opt("session_time_gap_seconds")?.unwrap_or(7200),
            score_threshold: line.opt("default_filters_score_threshold")?.unwrap_or(0.5),
            default_pipeline_id: line.opt("default_processing_pipeline_id")?,
            recount_after: None,
            taxa_counted_at: None,
            worker_wait_minutes: None,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const MEMBERS: Rows<membership::Entity> = Rows {
    about: About {
        needs: &[("user_id", "user"), ("project_id", "project")],
        ..About::new("main_userprojectmembership", "membership")
    },
    row: |line, world| {
        let (project, user) = (line.get("project_id")?, line.get("user_id")?);
        let role = world.roles.of(project, user).unwrap_or(Role::BasicMember);
        Ok(membership::Model {
            id: line.key,
            project_id: project,
            user_id: user,
            role: role.key().to_owned(),
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

/// Who is in a project's group without being its member becomes one: the group gave the rights.
pub(super) struct Groups(About);

pub(super) const GROUPS: Groups = Groups(About {
    needs: &[("user_id", "user")],
    counted: false,
    numbered: false,
    ..About::new("users_user_groups", "membership")
});

#[async_trait]
impl Bring for Groups {
    fn about(&self) -> &About {
        &self.0
    }

    async fn write(
        &self,
        tx: &Write,
        lines: &[Line],
        world: &World,
        step: &mut Step,
    ) -> StoreResult<()> {
        for line in lines {
            let (group, user) = (line.id("group_id"), line.id("user_id"));
            let known = group.and_then(|group| world.roles.groups.get(&group));
            let (Some((project, _)), Some(user)) = (known, user) else {
                lose(
                    step,
                    "left out: the group is no role of a project",
                    line.key,
                );
                continue;
            };
            let there = membership::Entity::find()
                .filter(membership::Column::ProjectId.eq(*project))
                .filter(membership::Column::UserId.eq(user))
                .one(&**tx)
                .await?;
            if there.is_some() {
                continue;
            }
            let role = world.roles.of(*project, user).unwrap_or(Role::BasicMember);
            let row = membership::ActiveModel {
                project_id: Set(*project),
                user_id: Set(user),
                role: Set(role.key().to_owned()),
                created_at: Set(now()),
                updated_at: Set(now()),
                ..Default::default()
            };
            step.written += insert::<membership::Entity>(tx, vec![(line.key, row)], step).await?;
        }
        Ok(())
    }
}

/// Groups that are roles, and who has them.
pub(super) struct Roles {
    groups: HashMap<i64, (i64, Role)>,
    highest: HashMap<(i64, i64), Role>,
}

impl Roles {
    /// The highest role of a person in a project.
    fn of(&self, project: i64, user: i64) -> Option<Role> {
        self.highest.get(&(project, user)).copied()
    }
}

/// The project and the role that a group stands for.
fn role(name: &str) -> Option<(i64, Role)> {
    let (project, rest) = name.split_once('_')?;
    let (_, role) = rest.rsplit_once('_')?;
    Some((project.parse().ok()?, Role::from_key(role)?))
}

/// Reads the groups.
pub(super) async fn roles(from: &DatabaseConnection) -> StoreResult<Roles> {
    let sql = "SELECT id::bigint AS n, name::text AS word FROM auth_group";
    let groups = source::pairs(from, sql).await?;
    let groups: HashMap<i64, (i64, Role)> = groups
        .into_iter()
        .filter_map(|(id, name)| Some((id, role(&name)?)))
        .collect();
    let sql = "SELECT user_id::bigint AS n, group_id::text AS word FROM users_user_groups";
    let mut highest: HashMap<(i64, i64), Role> = HashMap::new();
    for (user, group) in source::pairs(from, sql).await? {
        let known = group.parse().ok().and_then(|id: i64| groups.get(&id));
        if let Some((project, role)) = known {
            let best = highest.entry((*project, user)).or_insert(*role);
            *best = Ord::max(*best, *role);
        }
    }
    Ok(Roles { groups, highest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_says_project_and_role() {
        let manager = Some((12, Role::ProjectManager));
        assert_eq!(role("12_Moths_of_Quebec_ProjectManager"), manager);
        for other in ["editors", "12_Moths", "x_y_Identifier", "12_Moths_Boss"] {
            assert_eq!(role(other), None, "{other}");
        }
    }
}
