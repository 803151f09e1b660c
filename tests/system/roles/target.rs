//! What a row of the table is about, made anew for each role, so that one request does not spoil
//! the next.

use domain::job::{DispatchMode, ML};
use domain::permission::{Permit, Role};
use domain::telling::{Channel, Event, Wishes};
use store::capture::NewCapture;
use store::capture_set::NewCaptureSet;
use store::export::NewExport;
use store::identification::NewIdentification;
use store::job::NewJob;
use store::page::PageChange;
use store::place::PlaceKind;
use store::schedule::NewSchedule;
use store::station::NewStation;
use store::taxon::change::TaxonChange;
use store::webhook::{NewWebhook, Webhook};

use super::world::{World, person, project};

/// Whose it is: the project's in which everybody has a role, or the draft project's.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Open,
    Hidden,
}

/// What a row is about.
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
    /// A capture with a file.
    Capture(Of),
    /// A photograph that whoever asks has sent; of a stranger, the manager's.
    OwnUpload,
    /// A photograph that the manager has sent.
    Upload,
    /// A capture set.
    Set(Of),
    /// A session.
    Session(Of),
    /// Something found: a detection, a classification and an occurrence with the same id.
    Found(Of),
    /// An export with its job.
    Export(Of),
    /// A schedule of the project's owner.
    Schedule(Of),
    /// A webhook to an address where nobody is.
    Webhook(Of),
    /// The same with a test that has failed.
    Told(Of),
    /// What the manager said of an occurrence.
    Identification(Of),
    /// What whoever asks said of an occurrence; of a stranger, what the manager said.
    OwnIdentification,
    /// A taxon that a project works with.
    Taxon(Of),
    /// A list of taxa.
    TaxaList(Of),
    /// A list with a taxon on it.
    ListedTaxon,
    /// A tag.
    Tag(Of),
    /// A pipeline that a project uses.
    Pipeline(Of),
    /// A processing service that pulls its work.
    Service(Of),
    /// An algorithm.
    Algorithm,
    /// A category map.
    Labels,
}

/// The place of the owner among the roles.
const OWNER: usize = 1;
/// The place of the manager among the roles.
const MANAGER: usize = 2;

impl World {
    /// Makes what a row is about: the parts of its address, and a token to use, if it is one.
    pub async fn make(&self, target: Target, role: usize) -> (Vec<String>, Option<String>) {
        if matches!(target, Target::OwnToken) {
            let user = self.people.get(role);
            let token = match user {
                Some(user) => Some(self.app.store.create_token(user.id, "own").await.unwrap()),
                None => None,
            };
            return (vec![], token);
        }
        if matches!(target, Target::Page) {
            return (vec![self.page().await], None);
        }
        let ids = match target {
            Target::Nothing => vec![],
            Target::Member => self.member().await,
            Target::Told(of) => self.told(of).await,
            Target::ListedTaxon => {
                let list = self.taxa_list(self.open.project.id).await;
                let listed = self.app.store.list_taxon(list, self.taxon);
                assert!(listed.await.unwrap());
                vec![list, self.taxon]
            }
            one => vec![self.one(one, role).await],
        };
        (ids.iter().map(i64::to_string).collect(), None)
    }

    /// The id of something that has one.
    async fn one(&self, target: Target, role: usize) -> i64 {
        let (open, hidden) = (self.open.project.id, self.hidden.project.id);
        let asker = self.people.get(role).unwrap_or(&self.people[MANAGER]).id;
        match target {
            Target::Job(kind) => self.job(open, kind, None).await,
            Target::PullJob => self.pull_job().await,
            Target::SingleJob => self.job(open, ML, Some(self.open.capture.id)).await,
            Target::DraftJob => self.job(hidden, ML, None).await,
            Target::Project => {
                let name = format!("Project {}", self.number());
                project(&self.app, &name, &self.people).await.id
            }
            Target::Draft => hidden,
            Target::Site => self.place(PlaceKind::Site, open).await,
            Target::DraftSite => self.place(PlaceKind::Site, hidden).await,
            Target::Device => self.place(PlaceKind::Device, open).await,
            Target::Station => self.station(open).await,
            Target::DraftStation => self.station(hidden).await,
            Target::Source => self.source().await,
            Target::Person => {
                person(&self.app, &format!("person{}", self.number()))
                    .await
                    .id
            }
            Target::TokenOfOther => {
                let user = person(&self.app, &format!("holder{}", self.number())).await;
                self.app.store.make_token(user.id, "x").await.unwrap().0.id
            }
            Target::OwnUpload => self.upload(asker).await,
            Target::Upload => self.upload(self.people[MANAGER].id).await,
            Target::OwnIdentification => self.identification(Of::Open, asker).await,
            Target::Identification(of) => self.identification(of, self.people[MANAGER].id).await,
            Target::Capture(of) => self.capture(of).await,
            Target::Session(of) => self.side(of).session,
            Target::Found(of) => self.found(of).await,
            Target::Set(of) => self.set(self.side(of).project.id).await,
            Target::Schedule(of) => self.schedule(self.side(of).project.id).await,
            Target::Webhook(of) => self.webhook(of).await.id,
            Target::Export(of) => self.export(self.side(of).project.id).await,
            Target::Taxon(of) => self.taxon_of(self.side(of).project.id).await,
            Target::TaxaList(of) => self.taxa_list(self.side(of).project.id).await,
            Target::Tag(of) => {
                let name = format!("Tag {}", self.number());
                let project = self.side(of).project.id;
                let tag = self.app.store.create_tag(project, &name, &[]);
                tag.await.unwrap().id
            }
            Target::Pipeline(of) => self.pipeline(self.side(of).project.id).await,
            Target::Service(of) => {
                let name = format!("Service {}", self.number());
                let project = self.side(of).project.id;
                let service = self.app.store.put_service(project, &name, "", None);
                service.await.unwrap().id
            }
            Target::Algorithm => self.algorithm().await,
            Target::Labels => {
                let map = store::category_map::CategoryMapChange {
                    data: Some(serde_json::json!([{"label": "Moth"}])),
                    labels: Some(vec!["Moth".to_owned()]),
                    ..Default::default()
                };
                self.app.store.create_category_map(map).await.unwrap().id
            }
            other => unreachable!("{other:?} has no single id"),
        }
    }

    async fn page(&self) -> String {
        let n = self.number();
        let page = PageChange {
            name: Some(format!("Page {n}")),
            slug: Some(format!("page-{n}")),
            published: Some(true),
            ..Default::default()
        };
        let page = self.app.store.create_written_page(page);
        page.await.unwrap().slug
    }

    async fn member(&self) -> Vec<i64> {
        let user = person(&self.app, &format!("member{}", self.number())).await;
        let project = self.open.project.id;
        let row =
            self.app
                .store
                .add_member(Permit::BY_PROGRAM, project, user.id, Role::BasicMember);
        vec![project, row.await.unwrap().id]
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

    async fn pull_job(&self) -> i64 {
        let new = NewJob {
            name: "Pull".to_owned(),
            project_id: self.open.project.id,
            kind: ML,
            dispatch_mode: Some(DispatchMode::AsyncApi),
            start_now: true,
            ..Default::default()
        };
        self.app.store.create_job(new).await.unwrap().id
    }

    async fn place(&self, kind: PlaceKind, project: i64) -> i64 {
        let name = format!("Place {}", self.number());
        let place = self
            .app
            .store
            .create_place(Permit::BY_PROGRAM, kind, project, &name, "");
        place.await.unwrap().id
    }

    async fn station(&self, project: i64) -> i64 {
        let new = NewStation {
            project_id: project,
            name: format!("Station {}", self.number()),
            source_id: None,
            ..Default::default()
        };
        self.app.store.create_station(new).await.unwrap().id
    }

    async fn source(&self) -> i64 {
        let name = format!("Source {}", self.number());
        let folder = self.app.folder.path().to_str().unwrap();
        let project = self.open.project.id;
        let source = self.app.store.create_local_source(project, &name, folder);
        source.await.unwrap().id
    }

    async fn capture(&self, of: Of) -> i64 {
        let name = format!("{}.png", self.number());
        let picture = crate::app::png();
        let station = &self.side(of).station;
        self.app.capture(station, &name, &picture).await
    }

    async fn upload(&self, user: i64) -> i64 {
        let photo = NewCapture {
            path: format!("sent/{}.png", self.number()),
            ..Default::default()
        };
        let store = &self.app.store;
        let row = store.create_upload(&self.garden, Some(user), photo);
        row.await.unwrap().0.id
    }

    async fn set(&self, project: i64) -> i64 {
        let new = NewCaptureSet {
            project_id: project,
            name: format!("Set {}", self.number()),
            method: "full".to_owned(),
            ..Default::default()
        };
        self.app.store.create_capture_set(new).await.unwrap().id
    }

    async fn found(&self, of: Of) -> i64 {
        self.find(&self.side(of).capture).await
    }

    async fn export(&self, project: i64) -> i64 {
        let new = NewExport {
            project_id: project,
            user_id: Some(self.people[MANAGER].id),
            format: "occurrences_simple_csv".to_owned(),
            filters: serde_json::json!({}),
            filters_display: serde_json::json!({}),
            job_name: "Export".to_owned(),
            ..Default::default()
        };
        self.app.store.create_export(new).await.unwrap().0.id
    }

    async fn schedule(&self, project: i64) -> i64 {
        let step = domain::schedule::Step {
            kind: "regroup_events".to_owned(),
            ..Default::default()
        };
        let new = NewSchedule {
            project_id: project,
            name: "Night".to_owned(),
            cron: "0 6 * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            steps: vec![step],
            owner_id: Some(self.people[OWNER].id),
        };
        let made = self
            .app
            .store
            .create_schedule(Permit::BY_PROGRAM, new)
            .await;
        made.unwrap().id
    }

    async fn webhook(&self, of: Of) -> Webhook {
        let links = &self.app.tools.links;
        let new = NewWebhook {
            project_id: self.side(of).project.id,
            name: "Lab".to_owned(),
            channel: Channel::Webhook,
            target: "http://127.0.0.1:1/".to_owned(),
            secret: links.vault().close("a secret of the test"),
            wishes: Wishes {
                events: vec![Event::JobEnded],
                only_failures: false,
                minutes: 30,
            },
            enabled: true,
        };
        let store = &self.app.store;
        let made = store.create_webhook(Permit::BY_PROGRAM, new).await;
        made.unwrap()
    }

    async fn told(&self, of: Of) -> Vec<i64> {
        let (webhook, store) = (self.webhook(of).await, &self.app.store);
        let test = store.begin_test(Permit::BY_PROGRAM, &webhook).await;
        let teller = &self.app.tools.teller;
        let told = teller.deliver(store, &webhook, &test.unwrap()).await;
        vec![webhook.id, told.unwrap().id]
    }

    async fn identification(&self, of: Of, user: i64) -> i64 {
        let new = NewIdentification {
            occurrence_id: self.side(of).occurrence,
            taxon_id: self.taxon,
            ..Default::default()
        };
        let made = self.app.store.identify(user, &[new]).await.unwrap();
        made[0].id
    }

    async fn taxon_of(&self, project: i64) -> i64 {
        let new = TaxonChange {
            name: Some(format!("Taxon {}", self.number())),
            ..Default::default()
        };
        let taxon = self.app.store.create_taxon(new, Some(project));
        taxon.await.unwrap().id
    }

    async fn taxa_list(&self, project: i64) -> i64 {
        let name = format!("List {}", self.number());
        let list = self.app.store.create_taxa_list(project, &name, "");
        list.await.unwrap().id
    }

    async fn pipeline(&self, project: i64) -> i64 {
        let slug = format!("pipeline-{}", self.number());
        let config = serde_json::json!({
            "name": slug, "slug": slug, "version": 1,
            "algorithms": [{"name": slug, "key": slug, "task_type": "detection"}],
        });
        let configs = [serde_json::from_value(config).unwrap()];
        let store = &self.app.store;
        let made = store.register_pull_service(project, &slug, &configs, true);
        made.await.unwrap();
        store.pipeline_by_slug(&slug).await.unwrap().unwrap().id
    }

    async fn algorithm(&self) -> i64 {
        let n = self.number();
        let new = store::algorithm::AlgorithmChange {
            name: Some(format!("Algorithm {n}")),
            key: Some(format!("algorithm-{n}")),
            ..Default::default()
        };
        self.app.store.create_algorithm(new).await.unwrap().id
    }
}
