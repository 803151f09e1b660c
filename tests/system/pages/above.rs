//! Addresses that take forms alone, asked for as pages: each leads to the page of its form, also
//! after signing in.

use reqwest::header::{AUTHORIZATION, LOCATION};
use store::testing;

use super::{job, jpeg};
use crate::app::TestApp;
use crate::session::Browser;

#[tokio::test]
async fn what_takes_forms_alone_leads_to_the_page_of_its_form() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let user = app.store.user_by_email("super@example.org").await.unwrap();
        let user = user.unwrap().id;
        let token = app.store.create_token(user, "pages").await.unwrap();
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let source = station.source_id.unwrap();
        let picture = jpeg(40, 30);
        let capture = app.capture(&station, "20220810220000.jpg", &picture).await;
        let id = job(&app, project.id, "Night").await;
        let here = format!("/projects/{}", project.id);
        let client = reqwest::Client::new();
        for (path, page) in [
            (format!("{here}/jobs/{id}/act"), format!("{here}/jobs/{id}")),
            (format!("{here}/jobs/bulk"), format!("{here}/jobs")),
            (
                format!("{here}/captures/{capture}/star?view=table"),
                format!("{here}/captures/{capture}?view=table"),
            ),
            (
                format!("{here}/data/exports?page=2"),
                format!("{here}/data?page=2"),
            ),
            (
                format!("{here}/data/exports/7/remove"),
                format!("{here}/data"),
            ),
            (
                format!("{here}/data/sources/{source}/test"),
                format!("{here}/data/sources/{source}"),
            ),
            (
                format!("{here}/processing/services"),
                format!("{here}/processing"),
            ),
            (
                format!("{here}/processing/queue/pause"),
                format!("{here}/processing"),
            ),
            (format!("{here}/people/3/role"), format!("{here}/people")),
            ("/me/tokens".to_owned(), "/me".to_owned()),
            ("/me/tokens/3/end".to_owned(), "/me".to_owned()),
            ("/me/password".to_owned(), "/me".to_owned()),
            (
                "/server/users/3/lock".to_owned(),
                "/server/users".to_owned(),
            ),
        ] {
            let asked = client.get(format!("{}{path}", app.url));
            let asked = asked.header(AUTHORIZATION, format!("Token {token}"));
            let shown = asked.send().await.unwrap();
            assert_eq!(shown.status(), 200, "{path}");
            let found = shown.url().as_str().strip_prefix(&app.url);
            assert_eq!(found, Some(page.as_str()), "{path}");
        }
        let changed = client.delete(format!("{}{here}/jobs/bulk", app.url));
        let changed = changed.send().await.unwrap();
        assert_eq!(changed.status(), 405);
        assert_eq!(changed.headers()["allow"], "POST");
        let page = changed.text().await.unwrap();
        assert!(page.contains("<main>"), "{page}");
    }
}

#[tokio::test]
async fn who_signs_in_after_a_refused_form_comes_back_to_its_page() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let project = app.project("Moths", false).await;
        let id = job(&app, project.id, "Night").await;
        let page = format!("/projects/{}/jobs/{id}", project.id);
        let act = format!("{page}/act");
        let mut browser = Browser::new(&app);
        let refused = browser.post(&act, &[("act", "run")]).await;
        assert_eq!(refused.status(), 401);
        let refused = refused.text().await.unwrap();
        let (_, next) = refused.split_once("/login?next=").unwrap();
        let next = next.split('"').next().unwrap();
        let form = browser.get(&format!("/login?next={next}")).await;
        let form = form.text().await.unwrap();
        assert!(
            form.contains(&format!("name=\"next\" value=\"{act}\"")),
            "{form}"
        );
        let good = browser.sign_in("secret", &act).await;
        assert_eq!(good.headers()[LOCATION], *act);
        let on = browser.get(&act).await;
        assert_eq!(
            (on.status().as_u16(), &on.headers()[LOCATION]),
            (303, &page.parse().unwrap())
        );
        assert_eq!(browser.get(&page).await.status(), 200);
    }
}
