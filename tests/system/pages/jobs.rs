//! The pages of jobs as each role meets them: what is there and what is not, what acting does,
//! what refused input shows, and what live viewers hear. Here is what they share: a browser in which
//! somebody is signed in, and looking for words.

mod list;
pub(super) mod live;
mod new;
mod one;

use domain::permission::Role;
use store::job::{Job, NewJob};

use crate::pull::Farm;
use crate::session::Browser;

/// Heaviest page, in bytes.
const HEAVIEST: usize = 100_000;

async fn job(farm: &Farm, name: &str, start_now: bool) -> Job {
    let new = NewJob {
        name: name.to_owned(),
        project_id: farm.project.id,
        kind: domain::job::ML,
        station_id: Some(farm.station.id),
        pipeline_id: Some(farm.pipeline),
        start_now,
        ..Default::default()
    };
    farm.app.store.create_job(new).await.unwrap()
}

/// A browser in which a member with this role is signed in; with none, a superuser.
async fn browser<'a>(farm: &'a Farm, role: Option<Role>) -> Browser<'a> {
    let mut browser = Browser::new(&farm.app);
    let email = match role {
        Some(role) => {
            farm.app.member(&farm.project, Some(role)).await;
            format!("{}@example.org", role.key().to_lowercase())
        }
        None => {
            farm.app.superuser().await;
            "super@example.org".to_owned()
        }
    };
    let answer = browser.sign_in_as(&email, "secret", "/").await;
    assert_eq!(answer.status(), 303, "{email} cannot sign in");
    browser
}

impl Browser<'_> {
    async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.len() < HEAVIEST, "{path} weighs {}", text.len());
        text
    }

    /// Sends a form of a page; the page that is shown then, with where it lies.
    async fn sends(&mut self, page: &str, path: &str, form: &[(&str, &str)]) -> (String, String) {
        let word = self.word(page).await;
        let mut form = form.to_vec();
        form.push(("csrfmiddlewaretoken", &word));
        let answer = self.post(path, &form).await;
        if answer.status() == 200 {
            return (path.to_owned(), answer.text().await.unwrap());
        }
        assert_eq!(answer.status(), 303, "{path}");
        let next = answer.headers()["location"].to_str().unwrap().to_owned();
        let text = self.page(&next).await;
        (next, text)
    }
}

fn holds(text: &str, all: &[&str], none: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words} is missing from {text}");
    }
    for words in none {
        assert!(!text.contains(words), "{words} is in {text}");
    }
}
