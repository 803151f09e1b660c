//! Every page as somebody unknown, a basic member, a manager and a superuser meet it: its heading, the
//! buttons that are theirs and those that are not, a console without an error, and nothing that is
//! fetched from elsewhere.

use domain::permission::Role;
use fantoccini::Client;
use serde_json::{Value, json};
use store::testing;

use super::Driver;
use super::browsable::{made, open, sign_in, sign_in_as};
use super::field::night;
use crate::app::TestApp;

/// Who looks, each with all that the one before may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Nobody,
    Basic,
    Manager,
    Superuser,
}

use Who::{Basic, Manager, Nobody, Superuser};

/// A page by its address, with `#` for numbers: its heading, from whom on it is shown, and what acts
/// on it, each from whom on.
type Page = (
    &'static str,
    &'static str,
    Who,
    &'static [(&'static str, Who)],
);

const PAGES: &[Page] = &[
    ("/", "Projects", Nobody, &[]),
    (
        "/me",
        "Test",
        Basic,
        &[("form[action$='/me/tokens'] .button", Basic)],
    ),
    ("/server", "Server", Superuser, &[]),
    (
        "/server/jobs",
        "Jobs of all projects",
        Superuser,
        &[("button[value=delete]", Superuser)],
    ),
    (
        "/server/users",
        "Users",
        Superuser,
        &[("form[action$='/server/users'] .button", Superuser)],
    ),
    ("/projects/#", "Moths", Nobody, &[]),
    (
        "/projects/#/jobs",
        "Jobs",
        Nobody,
        &[
            (".head a[href$='/jobs/new']", Basic),
            (".head a[href$='/schedules']", Basic),
            ("button[value=cancel]", Basic),
            ("button[value=delete]", Superuser),
        ],
    ),
    (
        "/projects/#/jobs/#",
        "Night",
        Nobody,
        &[
            ("#actions a[href*='from=']", Basic),
            ("#actions button[value=run]", Manager),
            ("#actions button[value=delete]", Superuser),
        ],
    ),
    (
        "/projects/#/jobs/#/failures",
        "Failed captures of Night",
        Nobody,
        &[],
    ),
    (
        "/projects/#/jobs/new",
        "New job",
        Basic,
        &[
            ("button[value=save]", Basic),
            ("button[value=start]", Basic),
        ],
    ),
    ("/projects/#/captures", "Captures", Nobody, &[]),
    (
        "/projects/#/captures/#",
        "2022-08-10 23:07:15",
        Nobody,
        &[(".viewing form[action*='/star']", Basic)],
    ),
    ("/projects/#/sessions", "Sessions", Nobody, &[]),
    (
        "/projects/#/sessions/#",
        "Wednesday, Aug 10 2022",
        Nobody,
        &[],
    ),
    (
        "/projects/#/processing",
        "Processing",
        Nobody,
        &[
            ("form[action*='/processing/pipelines/']", Manager),
            ("form[action$='/processing/services']", Superuser),
        ],
    ),
    (
        "/projects/#/processing/services/#",
        "Pushed",
        Superuser,
        &[("main form .button", Superuser)],
    ),
    (
        "/projects/#/processing/pipelines/#",
        "Settings of Pipeline test",
        Manager,
        &[("main form .button", Manager)],
    ),
    (
        "/projects/#/data",
        "Data",
        Basic,
        &[
            ("a[href$='/data/sources/new']", Manager),
            ("form[action$='/test']", Manager),
            ("a[href$='/data/sets/new']", Manager),
            ("form[action$='/fill']", Manager),
            ("form[action$='/data/exports']", Manager),
        ],
    ),
    (
        "/projects/#/data/sources/new",
        "Add a storage source",
        Manager,
        &[("main form .button", Manager)],
    ),
    (
        "/projects/#/data/sources/#",
        "Folder",
        Basic,
        &[
            ("main form .button", Manager),
            ("form[action$='/remove']", Manager),
        ],
    ),
    (
        "/projects/#/data/sets/new",
        "Make a capture set",
        Manager,
        &[("button[value=save]", Manager)],
    ),
    (
        "/projects/#/data/sets/#",
        "All Images",
        Basic,
        &[
            ("button[value=save]", Manager),
            ("form[action$='/remove']", Manager),
        ],
    ),
    (
        "/projects/#/schedules",
        "Schedules",
        Basic,
        &[
            ("a[href$='/schedules/new']", Manager),
            ("form[action$='/run']", Manager),
        ],
    ),
    (
        "/projects/#/schedules/new",
        "Make a schedule",
        Manager,
        &[("button[value=save]", Manager)],
    ),
    (
        "/projects/#/schedules/#",
        "Nightly",
        Manager,
        &[("button[value=save]", Manager)],
    ),
    (
        "/projects/#/people",
        "People",
        Basic,
        &[
            ("form[action$='/people']", Manager),
            ("form[action$='/role']", Manager),
            ("#telling", Manager),
        ],
    ),
    (
        "/projects/#/people/webhooks/new",
        "Add a webhook",
        Manager,
        &[("main form .button", Manager)],
    ),
    (
        "/projects/#/people/webhooks/#",
        "Lab",
        Manager,
        &[
            ("main form .button", Manager),
            ("form[action$='/test']", Manager),
        ],
    ),
];

/// What is expected of the page at this address.
fn expected(path: &str) -> &'static Page {
    let parts = path.split('/').map(|part| match part.parse::<i64>() {
        Ok(_) => "#",
        Err(_) => part,
    });
    let pattern = parts.collect::<Vec<_>>().join("/");
    let found = PAGES.iter().find(|page| page.0 == pattern);
    found.unwrap_or_else(|| panic!("{pattern} has no row in this table"))
}

#[tokio::test]
async fn each_page_shows_to_each_what_is_theirs() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let (captures, session) = night(&app, &project).await;
    let rooms = super::rooms::pages(&app, &project).await;
    let job = made(&app.superuser().await, "Night", project.id).await;
    let here = format!("/projects/{}", project.id);
    let mut paths = vec!["/".to_owned(), here.clone()];
    let below = [
        "jobs".to_owned(),
        format!("jobs/{job}"),
        format!("jobs/{job}/failures"),
        "jobs/new".to_owned(),
        "captures".to_owned(),
        format!("captures/{}", captures[1]),
        "sessions".to_owned(),
        format!("sessions/{session}"),
    ];
    paths.extend(below.map(|path| format!("{here}/{path}")));
    paths.extend(rooms);
    assert_eq!(paths.len(), PAGES.len(), "each page is looked at once");
    for who in [Nobody, Basic, Manager, Superuser] {
        let browser = driver.browser().await;
        match who {
            Nobody => {}
            Basic => sign_in_as(&browser, &app, &project, Role::BasicMember).await,
            Manager => sign_in_as(&browser, &app, &project, Role::ProjectManager).await,
            Superuser => sign_in(&browser, &app).await,
        }
        driver.console(&browser).await;
        for path in &paths {
            open(&browser, &app, path).await;
            looks(&browser, path, who).await;
            let refused = who < expected(path).2;
            for line in driver.console(&browser).await {
                let said = line["message"].as_str().unwrap_or_default();
                // That a page was refused is told there too.
                let told = refused && said.contains("Failed to load resource");
                assert!(
                    told || line["level"] != "SEVERE",
                    "{path} as {who:?}: {said}"
                );
            }
            let names = "return performance.getEntriesByType('resource').map((e) => e.name);";
            let names = browser.execute(names, vec![]).await.unwrap();
            for name in names.as_array().unwrap().iter().filter_map(Value::as_str) {
                assert!(name.starts_with(&app.url), "{path} asks for {name}");
            }
        }
        browser.close().await.unwrap();
    }
}

/// Holds the page that is open against what is expected of it.
async fn looks(browser: &Client, path: &str, who: Who) {
    let (_, heading, from, acts) = expected(path);
    let shown = who >= *from;
    let read = "return document.querySelector('main h1')?.innerText ?? '';";
    let read = browser.execute(read, vec![]).await.unwrap();
    let read = read.as_str().unwrap_or_default().trim();
    assert_eq!(
        read == *heading,
        shown,
        "{path} as {who:?} is headed {read}"
    );
    for (css, least) in *acts {
        let there = "return document.querySelector(arguments[0]) !== null;";
        let there = browser.execute(there, vec![json!(css)]).await.unwrap();
        let may = shown && who >= *least;
        assert_eq!(there, json!(may), "{css} on {path} as {who:?}");
    }
}
