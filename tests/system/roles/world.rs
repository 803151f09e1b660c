//! The installation that the roles ask: everybody, the project in which everybody has a role, and
//! the draft project, each with a station, a session and something found in it.

use std::cell::Cell;

use domain::permission::Role;
use reqwest::Method;
use store::algorithm::AlgorithmChange;
use store::capture::Capture;
use store::project::{NewProject, Project};
use store::station::{NewStation, Station};
use store::testing;
use store::user::{NewUser, User};

use super::ROLES;
use super::table::Row;
use super::target::Of;
use crate::app::{TestApp, png};
use crate::found::Found;
use crate::pages::jpeg;

/// A project with what is in it.
pub struct Side {
    pub project: Project,
    pub station: Station,
    pub capture: Capture,
    pub session: i64,
    pub occurrence: i64,
}

pub struct World {
    pub app: TestApp,
    pub people: Vec<User>,
    pub open: Side,
    pub hidden: Side,
    /// A project in which nobody has a role.
    pub other: Project,
    /// Where photographs are sent to.
    pub garden: Station,
    pub taxon: i64,
    pub algorithm: i64,
    count: Cell<usize>,
}

impl World {
    pub async fn new(app: TestApp) -> World {
        let mut people = Vec::new();
        for name in &ROLES[..9] {
            people.push(person(&app, name).await);
        }
        let taxon = testing::taxon(&app.store, "Vanessa itea").await;
        let algorithm = AlgorithmChange {
            name: Some("Finder".to_owned()),
            key: Some("finder".to_owned()),
            ..Default::default()
        };
        let algorithm = app.store.create_algorithm(algorithm).await.unwrap().id;
        let open = project(&app, "Moths", &people).await;
        let draft = NewProject {
            name: "Draft".to_owned(),
            draft: true,
            owner_id: Some(people[1].id),
            ..Default::default()
        };
        let draft = app.store.create_project(draft).await.unwrap();
        let garden = NewStation {
            project_id: open.id,
            name: "Garden".to_owned(),
            ..Default::default()
        };
        let garden = app.store.create_station(garden).await.unwrap();
        let found = |id| Found {
            id,
            taxon,
            algorithm,
        };
        World {
            open: side(&app, open, found(1)).await,
            hidden: side(&app, draft, found(2)).await,
            other: app.project("Other", false).await,
            count: Cell::new(2),
            app,
            people,
            garden,
            taxon,
            algorithm,
        }
    }

    /// A number that was not used before.
    pub fn number(&self) -> usize {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    pub fn side(&self, of: Of) -> &Side {
        match of {
            Of::Open => &self.open,
            Of::Hidden => &self.hidden,
        }
    }

    /// Finds something on a capture; its id.
    pub async fn find(&self, capture: &Capture) -> i64 {
        let found = Found {
            id: i64::try_from(self.number()).unwrap(),
            taxon: self.taxon,
            algorithm: self.algorithm,
        };
        self.app.found(capture, found).await;
        found.id
    }

    /// A text of a row, with what it names filled in.
    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, value) in [
            ("$project", self.open.project.id),
            ("$draft", self.hidden.project.id),
            ("$other", self.other.id),
            ("$capture", self.open.capture.id),
            ("$garden", self.garden.id),
            ("$shed", self.hidden.station.id),
            ("$occurrence", self.open.occurrence),
            ("$unseen", self.hidden.occurrence),
            ("$taxon", self.taxon),
            ("$n", i64::try_from(self.number()).unwrap()),
        ] {
            text = text.replace(word, &value.to_string());
        }
        text
    }

    /// The address of a row: its pattern with numbers in the place of names.
    fn address(&self, row: &Row, ids: &[String]) -> String {
        let project = self.open.project.id;
        let mut ids = ids.iter();
        let parts = row.path.split('/').map(|part| match part.starts_with('{') {
            true => ids.next().cloned().unwrap_or_else(|| project.to_string()),
            false => part.to_owned(),
        });
        let path: Vec<String> = parts.collect();
        format!("/api/v2{}/{}", path.join("/"), self.filled(row.query))
    }

    /// What a role hears.
    pub async fn ask(&self, row: &Row, role: usize, token: Option<&str>) -> u16 {
        let (ids, own) = self.make(row.target, role).await;
        let path = self.address(row, &ids);
        let mut body = self.filled(row.body);
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
        let answer = match body.strip_prefix("@photo ") {
            Some(station) => {
                let photo = Some(("image", "20220810231507.jpg", jpeg(8, 6)));
                let station = ("deployment", station);
                client.send_file(&path, station, photo).await
            }
            None => {
                let body = (!body.is_empty()).then_some(body);
                client.send(method, &path, body).await
            }
        };
        let status = answer.status.as_u16();
        assert!(status < 500, "{} {path}: {}", row.method, answer.text);
        // Of many at once, what was said about the one.
        let one = || answer.json()["results"][0].clone();
        match (row.path, status) {
            ("/jobs/bulk", 200) => one()["code"].as_u64().map_or(200, |code| code as u16),
            ("/identifications/bulk", 200) if one()["status"] == "error" => 403,
            _ => status,
        }
    }
}

/// A station of the project, with one capture in one session, on which something was found.
async fn side(app: &TestApp, project: Project, found: Found) -> Side {
    let station = app.station(&project).await;
    let capture = app.capture(&station, "20220810231507.png", &png()).await;
    let gap = chrono::Duration::hours(2);
    app.store.regroup(station.id, gap, |_| {}).await.unwrap();
    let capture = app.store.capture(capture).await.unwrap();
    app.found(&capture, found).await;
    Side {
        session: capture.session_id.unwrap(),
        occurrence: found.id,
        project,
        station,
        capture,
    }
}

pub async fn person(app: &TestApp, name: &str) -> User {
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
pub async fn project(app: &TestApp, name: &str, people: &[User]) -> Project {
    let new = NewProject {
        name: name.to_owned(),
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
