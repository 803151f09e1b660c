//! Projects: making one with what it needs, who may see which, and its switches
//! (`domain-rules.md` §10, §11, §15). Lists stand in `project/list.rs`, settings in
//! `project/settings.rs`.

use domain::permission::{Delete, Permit, ProjectFacts, Role, role_has};
use std::collections::HashMap;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{capture_set, device, membership, project, site, station};
use crate::user::User;

pub use crate::entity::project::Model as Project;

pub mod figures;
pub mod list;
pub mod settings;

pub use figures::{AT_WORK, Figures};
pub use list::{PROJECT_ORDERS, ProjectFilter};
pub use settings::{FilterTaxa, ProjectChange};

/// What a person gives to make a project.
#[derive(Clone, Debug, Default)]
pub struct NewProject {
    /// Name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Who becomes its manager.
    pub owner_id: Option<i64>,
    /// Hidden from everybody but members.
    pub draft: bool,
    /// With a default device, site and station.
    pub with_defaults: bool,
    /// All else that a person may set.
    pub more: ProjectChange,
}

/// Switches of a project and what they are before anybody sets them (`domain-rules.md` §11).
const FLAGS: [(&str, bool); 5] = [
    ("tags", false),
    ("reprocess_existing_detections", false),
    ("default_filters", false),
    ("reprocess_all_images", false),
    ("async_pipeline_workers", true),
];

/// The switches of a new project.
pub fn flags() -> serde_json::Map<String, Json> {
    let flags = FLAGS.iter();
    flags
        .map(|(name, on)| ((*name).to_owned(), Json::Bool(*on)))
        .collect()
}

/// The state of a project's switch; unknown switches are off.
pub fn flag(project: &Project, name: &str) -> bool {
    let default = FLAGS.iter().any(|(n, on)| *n == name && *on);
    let set = project.feature_flags.get(name).and_then(Json::as_bool);
    set.unwrap_or(default)
}

impl Store {
    /// Makes a project with its owner's membership and the capture set "All Images".
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_project(&self, new: NewProject) -> StoreResult<Project> {
        let tx = self.write().await?;
        let at = now();
        let mut row = project::ActiveModel {
            name: Set(new.name),
            description: Set(new.description),
            image: Set(None),
            draft: Set(new.draft),
            active: Set(true),
            priority: Set(1),
            owner_id: Set(new.owner_id),
            feature_flags: Set(Json::Object(flags())),
            session_time_gap_seconds: Set(7200),
            score_threshold: Set(0.5),
            default_pipeline_id: Set(None),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        new.more.set(&mut row);
        let project = row.insert(&*tx).await?;
        new.more.set_taxa(&tx, project.id).await?;
        if let Some(owner) = new.owner_id {
            add_member(&tx, project.id, owner, Role::ProjectManager.key()).await?;
        }
        capture_set::ActiveModel {
            project_id: Set(project.id),
            name: Set("All Images".to_owned()),
            description: Set(String::new()),
            method: Set("full".to_owned()),
            kwargs: Set(Json::Object(Default::default())),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        }
        .insert(&*tx)
        .await?;
        if new.with_defaults {
            add_defaults(&tx, project.id).await?;
        }
        tx.commit().await?;
        Ok(project)
    }

    /// The project with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn project(&self, id: i64) -> StoreResult<Project> {
        project::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("project"))
    }

    /// The first projects by name, of these or (`None`) of all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn projects(&self, of: Option<&[i64]>, limit: u64) -> StoreResult<Vec<Project>> {
        let mut select = project::Entity::find().filter(project::Column::Active.eq(true));
        if let Some(ids) = of {
            select = select.filter(project::Column::Id.is_in(ids.iter().copied()));
        }
        Ok(select
            .order_by_desc(project::Column::Priority)
            .order_by_asc(project::Column::Name)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// How many stations each of these projects has.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn station_counts(&self, projects: &[i64]) -> StoreResult<HashMap<i64, i64>> {
        let rows: Vec<(i64, i64)> = station::Entity::find()
            .select_only()
            .column(station::Column::ProjectId)
            .column_as(station::Column::Id.count(), "stations")
            .filter(station::Column::ProjectId.is_in(projects.iter().copied()))
            .group_by(station::Column::ProjectId)
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Projects by id, for a page of jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn projects_by_id(&self, ids: &[i64]) -> StoreResult<Vec<Project>> {
        Ok(project::Entity::find()
            .filter(project::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?)
    }

    /// The oldest project with this name and owner, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn project_by_name(&self, name: &str, owner: i64) -> StoreResult<Option<Project>> {
        Ok(project::Entity::find()
            .filter(project::Column::Name.eq(name))
            .filter(project::Column::OwnerId.eq(owner))
            .order_by_asc(project::Column::Id)
            .one(&self.db)
            .await?)
    }

    /// Sets a switch of a project.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn set_flag(&self, id: i64, name: &str, on: bool) -> StoreResult<()> {
        let tx = self.write().await?;
        let project = project::Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or(StoreError::NotFound("project"))?;
        let mut flags = project
            .feature_flags
            .as_object()
            .cloned()
            .unwrap_or_default();
        flags.insert(name.to_owned(), Json::Bool(on));
        let mut row = project.into_active_model();
        row.feature_flags = Set(Json::Object(flags));
        row.updated_at = Set(now());
        row.update(&*tx).await?;
        tx.commit().await
    }

    /// Gives a person a role in a project, in place of the one held before.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn set_role(&self, project: i64, user: i64, role: Role) -> StoreResult<()> {
        let tx = self.write().await?;
        membership::Entity::delete_many()
            .filter(membership::Column::ProjectId.eq(project))
            .filter(membership::Column::UserId.eq(user))
            .exec(&*tx)
            .await?;
        add_member(&tx, project, user, role.key()).await?;
        tx.commit().await
    }

    /// The projects of which a person is a member, with the role held there.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn roles_of(&self, user: i64) -> StoreResult<Vec<(i64, Role)>> {
        let rows = membership::Entity::find()
            .filter(membership::Column::UserId.eq(user))
            .order_by_asc(membership::Column::ProjectId)
            .all(&self.db)
            .await?;
        let role = |m: membership::Model| Some((m.project_id, Role::from_key(&m.role)?));
        Ok(rows.into_iter().filter_map(role).collect())
    }

    /// The projects in which a person holds a permission: their own, and those in which a role
    /// brings it; `None` means all (superusers).
    ///
    /// # Errors
    /// Errors of the database.
    pub(crate) async fn projects_granting(
        &self,
        user: Option<&User>,
        permission: &str,
    ) -> StoreResult<Option<Vec<i64>>> {
        let Some(user) = user else {
            return Ok(Some(Vec::new()));
        };
        if user.is_superuser {
            return Ok(None);
        }
        let owned: Vec<i64> = project::Entity::find()
            .select_only()
            .column(project::Column::Id)
            .filter(project::Column::OwnerId.eq(user.id))
            .into_tuple()
            .all(&self.db)
            .await?;
        let roles = self.roles_of(user.id).await?.into_iter();
        let holds = roles.filter(|(_, role)| role_has(*role, permission));
        Ok(Some(holds.map(|(id, _)| id).chain(owned).collect()))
    }

    /// What permission rules need to know of a project and a person.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn project_facts(
        &self,
        project: &Project,
        user: Option<&User>,
    ) -> StoreResult<ProjectFacts> {
        facts_in(&self.db, project, user).await
    }

    /// The projects whose rows a person may see: `None` means all (superusers); else those that
    /// are no draft, and those owned or joined (`domain-rules.md` §10, visibility).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn visible_projects(&self, user: Option<&User>) -> StoreResult<Option<Vec<i64>>> {
        if user.is_some_and(|u| u.is_superuser) {
            return Ok(None);
        }
        let mut seen = Condition::any().add(project::Column::Draft.eq(false));
        if let Some(user) = user {
            let joined: Vec<i64> = membership::Entity::find()
                .select_only()
                .column(membership::Column::ProjectId)
                .filter(membership::Column::UserId.eq(user.id))
                .into_tuple()
                .all(&self.db)
                .await?;
            seen = seen
                .add(project::Column::OwnerId.eq(user.id))
                .add(project::Column::Id.is_in(joined));
        }
        let ids = project::Entity::find()
            .select_only()
            .column(project::Column::Id)
            .filter(project::Column::Active.eq(true))
            .filter(seen)
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(Some(ids))
    }

    /// Deletes a project with everything in it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_project(&self, _permit: Permit<Delete>, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        let done = project::Entity::delete_by_id(id).exec(&*tx).await?;
        if done.rows_affected == 0 {
            return Err(StoreError::NotFound("project"));
        }
        tx.commit().await
    }
}

async fn add_member(tx: &Write, project: i64, user: i64, role: &str) -> StoreResult<()> {
    let at = now();
    membership::ActiveModel {
        project_id: Set(project),
        user_id: Set(user),
        role: Set(role.to_owned()),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
    .insert(&**tx)
    .await?;
    Ok(())
}

async fn add_defaults(tx: &Write, project: i64) -> StoreResult<()> {
    let at = now();
    let device = device::ActiveModel {
        project_id: Set(Some(project)),
        name: Set("Default Device".to_owned()),
        description: Set(String::new()),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
    .insert(&**tx)
    .await?;
    let site = site::ActiveModel {
        project_id: Set(Some(project)),
        name: Set("Default Site".to_owned()),
        description: Set(String::new()),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
    .insert(&**tx)
    .await?;
    station::ActiveModel {
        device_id: Set(Some(device.id)),
        site_id: Set(Some(site.id)),
        ..crate::station::fresh(project, "Default Station", Some(0.0), Some(0.0))
    }
    .insert(&**tx)
    .await?;
    Ok(())
}

/// What permission rules need to know of a project, also within a transaction.
pub(crate) async fn facts_in<C: ConnectionTrait>(
    db: &C,
    project: &Project,
    user: Option<&User>,
) -> StoreResult<ProjectFacts> {
    let role = match user {
        Some(user) => membership::Entity::find()
            .filter(membership::Column::ProjectId.eq(project.id))
            .filter(membership::Column::UserId.eq(user.id))
            .one(db)
            .await?
            .and_then(|m| Role::from_key(&m.role)),
        None => None,
    };
    Ok(ProjectFacts {
        draft: project.draft,
        owner: project.owner_id,
        role,
    })
}
