//! What a measured database holds: one project of any size, with a pipeline, capture sets, jobs, a
//! list of taxa, and the manager who asks for its lists.

use anyhow::Context;
use domain::permission::Role;
use store::Store;
use store::capture_set::NewCaptureSet;
use store::job::NewJob;
use store::project::NewProject;
use store::testing::large::Large;
use store::user::NewUser;

/// The manager.
pub const EMAIL: &str = "manager@example.org";
/// Who keeps the server.
const KEEPER: &str = "keeper@example.org";

/// Jobs that are made one by one; the others are made after them.
const FEW: i64 = 50;

/// Fills a new database: a project of so many captures and jobs, its owner and its manager.
pub async fn fill(store: &Store, captures: i64, jobs: i64) -> anyhow::Result<()> {
    let user = NewUser {
        email: "other@example.org".to_owned(),
        password: "not used".to_owned(),
        name: "Bench".to_owned(),
        ..Default::default()
    };
    let user = store.create_user(user).await?;
    let new = NewProject {
        name: "Large".to_owned(),
        owner_id: Some(user.id),
        ..Default::default()
    };
    let project = store.create_project(new).await?.id;
    let config = serde_json::json!({
        "name": "Bench", "slug": "bench", "version": 1,
        "algorithms": [{"name": "bench", "key": "bench", "task_type": "detection"}],
    });
    let configs = [serde_json::from_value(config)?];
    store
        .register_pull_service(project, "Bench", &configs, true)
        .await?;
    let algorithm = store.algorithm_by_key("bench").await?;
    let algorithm = algorithm.context("the algorithm was not made")?.id;
    let mut sets = Vec::new();
    for name in ["Everything", "Sample"] {
        let set = NewCaptureSet {
            project_id: project,
            name: name.to_owned(),
            method: "manual".to_owned(),
            ..Default::default()
        };
        sets.push(store.create_capture_set(set).await?.id);
    }
    for n in 0..jobs.min(FEW) {
        let job = NewJob {
            name: format!("Job {n}"),
            project_id: project,
            kind: domain::job::POPULATE,
            capture_set_id: Some(sets[1]),
            ..Default::default()
        };
        store.create_job(job).await?;
    }
    let large = Large {
        project,
        user: user.id,
        algorithm,
        everything: sets[0],
        sample: sets[1],
        captures,
        jobs,
    };
    store.fill(large).await?;
    let list = store.create_taxa_list(project, "Some", "").await?.id;
    for (_, id) in names(store, "SPECIES", 50).await? {
        store.list_taxon(list, id).await?;
    }
    let manager = NewUser {
        email: EMAIL.to_owned(),
        password: "not used".to_owned(),
        name: "Manager".to_owned(),
        ..Default::default()
    };
    let manager = store.create_user(manager).await?;
    store
        .set_role(project, manager.id, Role::ProjectManager)
        .await?;
    Ok(())
}

/// The superuser who asks for the server's own pages, made where an earlier run left none.
pub async fn keeper(store: &Store) -> anyhow::Result<i64> {
    if let Some(user) = store.user_by_email(KEEPER).await? {
        return Ok(user.id);
    }
    let user = NewUser {
        email: KEEPER.to_owned(),
        password: "not used".to_owned(),
        name: "Keeper".to_owned(),
        is_staff: true,
        is_superuser: true,
    };
    Ok(store.create_user(user).await?.id)
}

/// The first names of this rank, in the order of their numbers.
pub async fn names(store: &Store, rank: &str, most: u64) -> anyhow::Result<Vec<(String, i64)>> {
    let filter = store::taxon::list::TaxonFilter {
        rank: Some(rank.to_owned()),
        order: vec![("id", false)],
        ..Default::default()
    };
    let (rows, _) = store.taxa_page(&filter, most, 0).await?;
    let pair = |row: store::taxon::list::SeenTaxon| (row.taxon.name, row.taxon.id);
    Ok(rows.into_iter().map(pair).collect())
}
