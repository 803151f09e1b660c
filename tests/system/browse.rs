//! Browsable pages of the API without a script: what is on them for whom, what their forms do,
//! and what a refusal looks like (`browsable-api.md`).

use domain::permission::Role;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use store::testing;

use crate::app::{Client, TestApp};
use crate::session::Browser;

async fn made(client: &Client<'_>, name: &str, project: i64) -> i64 {
    let body = json!({"name": name, "delay": 0, "project_id": project});
    let made = client.post("/api/v2/jobs/", body).await;
    made.json()["id"].as_i64().unwrap()
}

/// Whether each of these words is on a page.
fn assert_on(page: &str, there: &[&str], missing: &[&str]) {
    for words in there {
        assert!(page.contains(words), "{words} is missing from {page}");
    }
    for words in missing {
        assert!(!page.contains(words), "{words} is on {page}");
    }
}

#[tokio::test]
async fn each_viewer_finds_the_buttons_they_may_use() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let admin = app.superuser().await;
        let id = made(&admin, "Night", project.id).await;
        let member = app.member(&project, Some(Role::BasicMember)).await;
        let manager = app.member(&project, Some(Role::MlDataManager)).await;
        let delete = "value=\"DELETE\"";
        let put = "name=\"_method\" value=\"PUT\"";
        let patch = "name=\"_method\" value=\"PATCH\"";
        for (client, edits, deletes) in [
            (app.anonymous(), false, false),
            (member, false, false),
            (manager, true, false),
            (admin, true, true),
        ] {
            let page = client
                .get(&format!("/api/v2/jobs/{id}/?format=api"))
                .await
                .text;
            let always = [
                "value=\"OPTIONS\"",
                "Extra Actions",
                ">GET</a>",
                "/cancel/\"",
            ];
            assert_on(&page, &always, &["csrfmiddlewaretoken", "Log in"]);
            for words in [put, patch, "HTML form", "Raw data", "name=\"delay\""] {
                assert_eq!(page.contains(words), edits, "{words}");
            }
            assert_eq!(page.contains(delete), deletes);
            let list = client.get("/api/v2/jobs/?format=api").await.text;
            let on_list = [
                "name=\"_method\" value=\"POST\"",
                "HTML form",
                "Raw data",
                "Filters",
            ];
            assert_on(&list, &on_list, &[delete, put, patch]);
            let action = client
                .get(&format!("/api/v2/jobs/{id}/run/?format=api"))
                .await;
            assert_eq!(action.status, 405);
            let there = [
                "HTTP 405 Method Not Allowed",
                on_list[0],
                "Extra Actions",
                "POST, OPTIONS",
            ];
            assert_on(&action.text, &there, &[">GET</a>", put, "name=\"delay\""]);
        }
    }
}

#[tokio::test]
async fn forms_hold_what_the_row_holds() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths & more", false).await;
        let station = app.station(&project).await;
        let admin = app.superuser().await;
        let body = json!({
            "name": "\"Night\" <b>", "delay": 7, "limit": 3, "shuffle": false,
            "project_id": project.id, "deployment_id": station.id,
        });
        let id = admin.post("/api/v2/jobs/", body).await.json()["id"].clone();
        let page = admin
            .get(&format!("/api/v2/jobs/{id}/?format=api"))
            .await
            .text;
        let project_id = format!("name=\"project_id\" value=\"{}\"", project.id);
        let station_id = format!("name=\"deployment_id\" value=\"{}\"", station.id);
        let there = [
            "name=\"name\" value=\"&#34;Night&#34; &#60;b&#62;\"",
            "name=\"delay\" value=\"7\"",
            "name=\"limit\" value=\"3\"",
            project_id.as_str(),
            "Moths &#38; more</span>",
            station_id.as_str(),
            "name=\"pipeline_id\" value=\"\"",
            "name=\"job_type_key\" value=\"ml\"",
            "name=\"shuffle\" value=\"true\" aria-describedby",
        ];
        assert_on(&page, &there, &["<b>\""]);
        let narrowed = format!("/api/v2/jobs/?project_id={}&format=api", project.id);
        let list = admin.get(&narrowed).await.text;
        assert_on(
            &list,
            &[
                project_id.as_str(),
                "name=\"shuffle\" value=\"true\" checked",
            ],
            &[],
        );
    }
}

/// A page that a form of a signed-in browser leads to.
async fn page(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_person_acts_without_a_script() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let admin = app.superuser().await;
        let project = app.project("Moths", false).await;
        let mut browser = Browser::new(&app);
        browser.sign_in("secret", "/").await;
        let list = "/api/v2/jobs/?format=api";
        let word = browser.word(list).await;
        let word = ("csrfmiddlewaretoken", word.as_str());
        let project_id = project.id.to_string();
        let form = [
            word,
            ("_method", "POST"),
            ("name", "By a form"),
            ("delay", "0"),
            ("shuffle", "false"),
            ("shuffle", "true"),
            ("limit", ""),
            ("project_id", &project_id),
            ("pipeline_id", ""),
            ("job_type_key", "ml"),
        ];
        let (status, text) = page(browser.post(list, &form).await).await;
        assert_eq!(status, 201, "{text}");
        assert_on(&text, &["HTTP 201 Created", "\"shuffle\": true"], &[]);
        let jobs = admin.get("/api/v2/jobs/").await.json();
        let id = jobs["results"][0]["id"].as_i64().unwrap();
        let one = format!("/api/v2/jobs/{id}/?format=api");

        let put = [
            word,
            ("_method", "PUT"),
            ("name", "Renamed"),
            ("delay", "2"),
            ("shuffle", "false"),
            ("project_id", &project_id),
        ];
        let (status, text) = page(browser.post(&one, &put).await).await;
        assert_eq!(status, 200, "{text}");
        let there = [
            "<b>PUT</b>",
            "\"name\": \"Renamed\"",
            "\"shuffle\": false",
            "value=\"2\"",
        ];
        assert_on(&text, &there, &[]);

        let raw = "{\"name\": \"By raw data\", \"limit\": 5}";
        let patch = [
            word,
            ("_method", "PATCH"),
            ("_content_type", "application/json"),
            ("_content", raw),
        ];
        let (status, text) = page(browser.post(&one, &patch).await).await;
        assert_eq!(status, 200, "{text}");
        assert_on(
            &text,
            &["\"name\": \"By raw data\"", "\"limit\": 5", "\"delay\": 2"],
            &[],
        );

        let (status, text) = page(browser.post(&one, &[word, ("_method", "OPTIONS")]).await).await;
        assert_eq!(status, 200);
        assert_on(
            &text,
            &["<b>OPTIONS</b>", "\"max_length\": 255", "value=\"DELETE\""],
            &[],
        );

        let forged = browser.post(&one, &[("_method", "DELETE")]).await;
        assert_eq!(forged.status(), 403);
        assert_eq!(admin.get(&one).await.status, 200, "nothing was deleted");
        let (status, text) = page(browser.post(&one, &[word, ("_method", "DELETE")]).await).await;
        assert_eq!(status, 200, "an empty answer is sent as a page");
        assert_on(&text, &["HTTP 204 No Content"], &[]);
        assert_eq!(admin.get(&one).await.status, 404);
    }
}

#[tokio::test]
async fn a_method_in_a_form_is_not_believed_of_programs() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let admin = app.superuser().await;
        let project = app.project("Moths", false).await;
        let id = made(&admin, "Night", project.id).await;
        let url = format!("{}/api/v2/jobs/{id}/?format=api", app.url);
        let user = app
            .store
            .user_by_email("super@example.org")
            .await
            .unwrap()
            .unwrap();
        let token = app.store.create_token(user.id, "x").await.unwrap();
        let http = reqwest::Client::new();
        for token in [None, Some(token)] {
            let post = http.post(&url).body("_method=DELETE");
            let mut post = post.header("Content-Type", "application/x-www-form-urlencoded");
            if let Some(token) = token {
                post = post.header("Authorization", format!("Token {token}"));
            }
            assert_eq!(post.send().await.unwrap().status(), 405);
        }
        assert_eq!(admin.get(&format!("/api/v2/jobs/{id}/")).await.status, 200);
    }
}

#[tokio::test]
async fn refusals_are_whole_pages_that_keep_what_was_sent() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let admin = app.superuser().await;
        let id = made(&admin, "Night", project.id).await;
        let one = format!("/api/v2/jobs/{id}/?format=api");
        let member = app.member(&project, Some(Role::BasicMember)).await;
        let anonymous = app.anonymous();
        let body = |body: Value| Some(body.to_string());
        let whole = json!({"name": "Kept words", "delay": 0, "project_id": project.id});
        let wrong = json!({"name": "", "delay": "soon", "project_id": 99_999});
        let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
        let list = "/api/v2/jobs/?format=api";
        let run = format!("/api/v2/jobs/{id}/run/?format=api");
        for (client, method, path, body, status, there, missing) in [
            (
                &anonymous,
                &get,
                "/api/v2/jobs/99999/?format=api",
                None,
                "404 Not Found",
                vec!["\"Not found.\"", "Job List", "Sign in"],
                vec!["Extra Actions", "HTML form"],
            ),
            (
                &anonymous,
                &get,
                "/api/v2/nowhere/?format=api",
                None,
                "404 Not Found",
                vec!["<h1>Not found</h1>"],
                vec!["HTML form"],
            ),
            (
                &anonymous,
                &get,
                "/api/v2/users/?format=api",
                None,
                "401 Unauthorized",
                vec!["WWW-Authenticate:</b> Token"],
                vec!["Extra Actions", "HTML form"],
            ),
            (
                &anonymous,
                &post,
                list,
                body(whole.clone()),
                "401 Unauthorized",
                vec!["value=\"Kept words\"", "Sign in"],
                vec![],
            ),
            (
                &anonymous,
                &post,
                &run,
                None,
                "401 Unauthorized",
                vec!["Nothing was done"],
                vec![],
            ),
            (
                &member,
                &put,
                &one,
                body(whole),
                "403 Forbidden",
                vec!["You do not have permission"],
                vec!["Extra Actions", "HTML form"],
            ),
            (
                &admin,
                &post,
                list,
                body(wrong.clone()),
                "400 Bad Request",
                vec![
                    "has-error",
                    "This field may not be blank.",
                    "value=\"soon\"",
                    "value=\"99999\"",
                    "A valid integer is required.",
                ],
                vec![],
            ),
            (
                &admin,
                &put,
                &one,
                body(wrong),
                "400 Bad Request",
                vec!["has-error", "value=\"soon\"", "value=\"DELETE\""],
                vec![],
            ),
            (
                &admin,
                &put,
                &one,
                Some("{\"name\": bad".to_owned()),
                "400 Bad Request",
                vec![
                    "JSON parse error",
                    "{&#34;name&#34;: bad</textarea>",
                    "role=\"alert\"",
                ],
                vec![],
            ),
            (
                &admin,
                &put,
                list,
                None,
                "405 Method Not Allowed",
                vec!["not allowed"],
                vec![],
            ),
        ] {
            let answer = client.send(method.clone(), path, body).await;
            let code = status.split(' ').next().unwrap();
            assert_eq!(answer.status.as_str(), code, "{method} {path}");
            let kind = answer.headers["content-type"].to_str().unwrap();
            assert_eq!(kind, "text/html; charset=utf-8");
            let line = format!("HTTP {status}");
            assert_on(
                &answer.text,
                &[&[line.as_str()], &there[..]].concat(),
                &missing,
            );
        }
        let vary = &admin.get(&one).await.headers["vary"];
        assert_eq!(vary, "Accept, Cookie, Accept-Language, origin");
    }
}

#[tokio::test]
async fn passwords_are_never_shown_again() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let body = json!({"email": "x@example.org", "password": "s3cret-word"});
    let path = "/api/v2/auth/token/login/?format=api";
    let page = app.anonymous().post(path, body).await;
    assert_eq!(page.status, 400);
    assert_on(
        &page.text,
        &["type=\"password\"", "value=\"x@example.org\""],
        &["s3cret-word"],
    );
}

#[tokio::test]
async fn lists_are_filtered_ordered_searched_and_paged() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let admin = app.superuser().await;
        for name in ["Apple", "Birch", "Cedar", "Hazel", "Larch"] {
            made(&admin, name, project.id).await;
        }
        let query = "format=api&limit=2&offset=2&ordering=name&search=a&status=CREATED";
        let page = admin.get(&format!("/api/v2/jobs/?{query}")).await.text;
        let there = [
            "\"name\": \"Hazel\"",
            "Filters (2 set)",
            "class=\"pagination\"",
            "&laquo;",
            "aria-current=\"page\">2</a>",
            "href=\"/api/v2/jobs/?format=api&#38;limit=2&#38;ordering=name&#38;search=a&#38;status=CREATED\"",
            "href=\"/api/v2/jobs/?format=api&#38;limit=2&#38;ordering=-name&#38;search=a&#38;status=CREATED\"",
            "aria-current=\"true\">name</a> <span aria-hidden=\"true\">✓",
            "name – descending",
            "<option value=\"CREATED\" selected>",
            "name=\"search\" value=\"a\"",
            "data-rows=\"/api/v2/projects/\"",
        ];
        assert_on(&page, &there, &["\"name\": \"Birch\"", "name=\"offset\""]);
        let nasty =
            "/api/v2/jobs/?format=api&search=%3Cscript%3Ealert(1)%3C/script%3E&x=%22%3E%3Ci%3E";
        let page = admin.get(nasty).await.text;
        assert_on(&page, &["Filters (1 set)"], &["<script>alert(1)", "\"><i>"]);
        let short = admin.get("/api/v2/jobs/?format=api").await.text;
        assert_on(
            &short,
            &["Field filters", "Ordering", "Search"],
            &["class=\"pagination\""],
        );
    }
}

#[tokio::test]
async fn the_first_page_names_the_lists() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let page = app.anonymous().get("/api/v2/?format=api").await;
    assert_eq!(page.headers["allow"], "GET, HEAD, OPTIONS");
    let jobs = format!("href=\"{}/api/v2/jobs/?format=api\"", app.url);
    assert_on(
        &page.text,
        &["<h1>Api Root</h1>", "HTTP 200 OK", &jobs],
        &["HTML form"],
    );
}
