//! Who may do what: every address of the API with every method, asked by every role. The table
//! says what each must hear (`domain-rules.md` §10 and the recorded matrix of roles); an address
//! without a row fails the test, so a new one cannot be forgotten.

mod table;

use domain::permission::Permit;
use std::collections::BTreeSet;

use domain::permission::Role;
use reqwest::Method;
use serde_json::Value;
use store::job::NewJob;
use store::page::PageChange;
use store::place::PlaceKind;
use store::project::{NewProject, Project};
use store::station::NewStation;
use store::testing;
use store::user::{NewUser, User};

use crate::app::TestApp;
use table::{ROWS, Row, TO_COME};

/// Who asks, in the order of the table's columns.
const ROLES: [&str; 10] = [
    "superuser",
    "owner",
    "manager",
    "mlmanager",
    "researcher",
    "identifier",
    "basic",
    "nonmember",
    "staff",
    "anonymous",
];

/// What a row is about; made anew for each role, so that one request does not spoil the next.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Nothing of its own.
    Nothing,
    /// A job of this kind in the project.
    Job(&'static str),
    /// An ML job for remote workers that waits for its runner.
    PullJob,
    /// An ML job about one capture.
    SingleJob,
    /// An ML job of the draft project.
    DraftJob,
    /// A project with all roles.
    Project,
    /// The draft project.
    Draft,
    /// A member of the project.
    Member,
    /// A site of the project.
    Site,
    /// A site of the draft project.
    DraftSite,
    /// A device of the project.
    Device,
    /// A station of the project.
    Station,
    /// A station of the draft project.
    DraftStation,
    /// A storage source of the project.
    Source,
    /// A published page.
    Page,
    /// A person.
    Person,
    /// A token of somebody else.
    TokenOfOther,
    /// A further token of whoever asks, with which the request is made.
    OwnToken,
}

struct World {
    app: TestApp,
    people: Vec<User>,
    project: Project,
    draft: Project,
    other: Project,
    capture: i64,
    count: std::cell::Cell<usize>,
}

impl World {
    async fn new(app: TestApp) -> World {
        let mut people = Vec::new();
        for name in &ROLES[..9] {
            people.push(person(&app, name).await);
        }
        let project = project(&app, "Moths", false, &people).await;
        let capture = {
            let station = app.station(&project).await;
            app.capture(&station, "20220810231507.jpg", b"none").await
        };
        let owned = |name: &str, draft, owner: Option<i64>| NewProject {
            name: name.to_owned(),
            draft,
            owner_id: owner,
            ..Default::default()
        };
        let draft = app
            .store
            .create_project(owned("Draft", true, Some(people[1].id)));
        let draft = draft.await.unwrap();
        let other = app.store.create_project(owned("Other", false, None));
        let other = other.await.unwrap();
        World {
            app,
            people,
            project,
            draft,
            other,
            capture,
            count: Default::default(),
        }
    }

    /// A number that was not used before.
    fn number(&self) -> usize {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// Makes what a row is about: the parts of its address, and a token to use, if it is one.
    async fn make(&self, target: Target, role: usize) -> (Vec<String>, Option<String>) {
        let store = &self.app.store;
        let n = self.number();
        let one = |id: i64| (vec![id.to_string()], None);
        match target {
            Target::Nothing => (vec![], None),
            Target::Job(kind) => one(self.job(self.project.id, kind, None).await),
            Target::PullJob => {
                let new = NewJob {
                    name: "Pull".to_owned(),
                    project_id: self.project.id,
                    kind: domain::job::ML,
                    dispatch_mode: Some(domain::job::DispatchMode::AsyncApi),
                    start_now: true,
                    ..Default::default()
                };
                one(store.create_job(new).await.unwrap().id)
            }
            Target::SingleJob => {
                let capture = Some(self.capture);
                one(self.job(self.project.id, domain::job::ML, capture).await)
            }
            Target::DraftJob => one(self.job(self.draft.id, domain::job::ML, None).await),
            Target::Project => {
                let name = format!("Project {n}");
                one(project(&self.app, &name, false, &self.people).await.id)
            }
            Target::Draft => one(self.draft.id),
            Target::Member => {
                let user = person(&self.app, &format!("member{n}")).await;
                let role = Role::BasicMember;
                let row = store
                    .add_member(Permit::BY_PROGRAM, self.project.id, user.id, role)
                    .await;
                let ids = [self.project.id, row.unwrap().id];
                (ids.map(|id| id.to_string()).to_vec(), None)
            }
            Target::Site | Target::Device | Target::DraftSite => {
                let (kind, project) = match target {
                    Target::Device => (PlaceKind::Device, self.project.id),
                    Target::Site => (PlaceKind::Site, self.project.id),
                    _ => (PlaceKind::Site, self.draft.id),
                };
                let name = format!("Place {n}");
                let place = store
                    .create_place(Permit::BY_PROGRAM, kind, project, &name, "")
                    .await;
                one(place.unwrap().id)
            }
            Target::Station | Target::DraftStation => {
                let project_id = match target {
                    Target::Station => self.project.id,
                    _ => self.draft.id,
                };
                let new = NewStation {
                    project_id,
                    name: format!("Station {n}"),
                    source_id: None,
                    ..Default::default()
                };
                one(store.create_station(new).await.unwrap().id)
            }
            Target::Source => {
                let name = format!("Source {n}");
                let folder = self.app.folder.path().to_str().unwrap().to_owned();
                let source = store.create_local_source(self.project.id, &name, &folder);
                one(source.await.unwrap().id)
            }
            Target::Page => {
                let page = PageChange {
                    name: Some(format!("Page {n}")),
                    slug: Some(format!("page-{n}")),
                    published: Some(true),
                    ..Default::default()
                };
                (
                    vec![store.create_written_page(page).await.unwrap().slug],
                    None,
                )
            }
            Target::Person => one(person(&self.app, &format!("person{n}")).await.id),
            Target::TokenOfOther => {
                let user = person(&self.app, &format!("holder{n}")).await;
                one(store.make_token(user.id, "x").await.unwrap().0.id)
            }
            Target::OwnToken => match self.people.get(role) {
                Some(user) => {
                    let token = store.create_token(user.id, "own").await.unwrap();
                    (vec![], Some(token))
                }
                None => (vec![], None),
            },
        }
    }

    async fn job(&self, project: i64, kind: &'static str, capture: Option<i64>) -> i64 {
        let new = NewJob {
            name: "Job".to_owned(),
            project_id: project,
            kind,
            capture_id: capture,
            ..Default::default()
        };
        self.app.store.create_job(new).await.unwrap().id
    }

    /// The body of a row, with what it names filled in.
    fn body(&self, row: &Row) -> String {
        let mut text = row.body.to_owned();
        for (word, value) in [
            ("$project", self.project.id),
            ("$draft", self.draft.id),
            ("$other", self.other.id),
            ("$capture", self.capture),
            ("$n", i64::try_from(self.number()).unwrap()),
        ] {
            text = text.replace(word, &value.to_string());
        }
        text
    }

    /// What a role hears.
    async fn ask(&self, row: &Row, role: usize, token: Option<&str>) -> u16 {
        let (ids, own) = self.make(row.target, role).await;
        let path = address(row, &ids, self.project.id);
        let mut body = self.body(row);
        if let (Some(id), true) = (ids.last(), body.contains("$id")) {
            body = body.replace("$id", id);
        }
        if body.contains("@newcomer") {
            let user = person(&self.app, &format!("newcomer{}", self.number())).await;
            body = body.replace("@newcomer", &user.email);
        }
        let client = match own.as_deref().or(token) {
            Some(token) => self.app.with_token(token),
            None => self.app.anonymous(),
        };
        let method: Method = row.method.parse().unwrap();
        let body = (!body.is_empty()).then_some(body);
        let answer = client.send(method, &path, body).await;
        let status = answer.status.as_u16();
        // Of many at once, what was said about the one.
        if row.path == "/jobs/bulk" && status == 200 {
            let code = answer.json()["results"][0]["code"].clone();
            return code.as_u64().map_or(200, |code| code as u16);
        }
        assert!(status < 500, "{} {path}: {}", row.method, answer.text);
        status
    }
}

async fn person(app: &TestApp, name: &str) -> User {
    let new = NewUser {
        email: format!("{name}@example.org"),
        password: "secret".to_owned(),
        name: name.to_owned(),
        is_staff: ["staff", "superuser"].contains(&name),
        is_superuser: name == "superuser",
    };
    app.store.create_user(new).await.unwrap()
}

/// A project in which everybody has the role that their name says; its owner has none, and needs
/// none.
async fn project(app: &TestApp, name: &str, draft: bool, people: &[User]) -> Project {
    let new = NewProject {
        name: name.to_owned(),
        draft,
        owner_id: Some(people[1].id),
        ..Default::default()
    };
    let project = app.store.create_project(new).await.unwrap();
    let roles = [
        Role::ProjectManager,
        Role::MlDataManager,
        Role::Researcher,
        Role::Identifier,
        Role::BasicMember,
    ];
    for (user, role) in people[2..7].iter().zip(roles) {
        app.store.set_role(project.id, user.id, role).await.unwrap();
    }
    project
}

/// The address of a row: its pattern with numbers in the place of names.
fn address(row: &Row, ids: &[String], project: i64) -> String {
    let mut ids = ids.iter();
    let parts = row.path.split('/').map(|part| match part.starts_with('{') {
        true => ids.next().cloned().unwrap_or_else(|| project.to_string()),
        false => part.to_owned(),
    });
    let path: Vec<String> = parts.collect();
    let query = row.query.replace("$project", &project.to_string());
    format!("/api/v2{}/{query}", path.join("/"))
}

#[test]
fn every_address_has_its_rows() {
    let rows: BTreeSet<(&str, &str)> = ROWS.iter().map(|row| (row.path, row.method)).collect();
    let mut wanted = BTreeSet::new();
    let to_come = |path: &str| TO_COME.iter().any(|start| path.starts_with(start));
    for (path, allow) in web::addresses().filter(|(path, _)| !to_come(path)) {
        for method in allow
            .split(", ")
            .filter(|m| !["HEAD", "OPTIONS"].contains(m))
        {
            wanted.insert((path, method));
        }
    }
    let missing: Vec<_> = wanted.difference(&rows).collect();
    assert!(
        missing.is_empty(),
        "without a row in roles/table.rs: {missing:?}"
    );
    let gone: Vec<_> = rows.difference(&wanted).collect();
    assert!(gone.is_empty(), "rows about no address: {gone:?}");
}

#[tokio::test]
async fn every_role_hears_what_the_table_says() {
    for fresh in testing::fresh().await {
        let world = World::new(TestApp::start(&fresh).await).await;
        let mut tokens = Vec::new();
        for user in &world.people {
            tokens.push(world.app.store.create_token(user.id, "t").await.unwrap());
        }
        let mut wrong = Vec::new();
        for row in ROWS {
            for (role, name) in ROLES.iter().enumerate() {
                let heard = world
                    .ask(row, role, tokens.get(role).map(String::as_str))
                    .await;
                let wanted = row.heard[role];
                if heard != wanted {
                    let Row {
                        method,
                        path,
                        query,
                        target,
                        ..
                    } = row;
                    wrong.push(format!(
                        "{method} {path}/{query} ({target:?}) as {name}: {heard}, not {wanted}"
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}

/// Whoever may not see a list's rows does not see them: the draft project's are only shown to its
/// owner and superusers, also in lists.
#[tokio::test]
async fn lists_show_only_what_each_may_see() {
    for fresh in testing::fresh().await {
        let world = World::new(TestApp::start(&fresh).await).await;
        for target in [Target::DraftJob, Target::DraftSite] {
            world.make(target, 0).await;
        }
        for list in ["jobs", "deployments/sites", "projects"] {
            for (role, name) in ROLES.iter().enumerate() {
                let client = match world.people.get(role) {
                    Some(user) => {
                        let token = world.app.store.create_token(user.id, "t").await.unwrap();
                        world.app.with_token(&token)
                    }
                    None => world.app.anonymous(),
                };
                let rows = client
                    .get(&format!("/api/v2/{list}/?limit=100"))
                    .await
                    .json();
                let draft = Value::from(world.draft.id);
                let shown = rows["results"].as_array().unwrap().iter().any(|row| {
                    [&row["project"], &row["project"]["id"]].contains(&&draft)
                        || (list == "projects" && row["id"] == draft)
                });
                assert_eq!(shown, role < 2, "{list} as {name}");
            }
        }
    }
}
