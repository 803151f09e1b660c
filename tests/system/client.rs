//! Antenna's own web client, as `ui.md` describes it: every call of its tables on the demo's
//! data, as every role, and every field that it reads of the answers. The idea: the tables are
//! `ui.md`'s, row by row; one engine asks them and keeps a report of ✓ (served), – (refused in
//! the right words), · (not asked by the client) and ✗.

mod ask;
mod button;
mod path;
mod refusal;
mod row;
mod table;
mod world;

use std::fmt::Write;

use store::testing;

use ask::{Heard, ask};
use row::ROLES;
use table::SECTIONS;
use world::World;

/// The report of what every role heard.
#[derive(Default)]
struct Report {
    text: String,
    faults: Vec<String>,
}

impl Report {
    fn section(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n{title}\n{:92} {}", "", ROLES.join(" "));
    }

    /// A few faults are enough to see what is wrong.
    fn wrong(&mut self, name: &str, role: &str, faults: &[String]) {
        let faults = faults.iter().take(12);
        let lines = faults.map(|fault| format!("{name} as {role}:{fault}"));
        self.faults.extend(lines);
    }

    fn line(&mut self, name: &str, signs: &[&str]) {
        let columns: Vec<String> = ROLES
            .iter()
            .zip(signs)
            .map(|(role, sign)| format!("{sign:width$}", width = role.len()))
            .collect();
        let line = format!("{name:92} {}", columns.join(" "));
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

#[tokio::test]
async fn every_call_of_the_web_client_is_answered_as_it_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    for fresh in testing::fresh().await {
        let world = World::new(&fresh, folder.path()).await;
        let mut report = Report::default();
        for (title, rows) in SECTIONS {
            report.section(title);
            for row in *rows {
                let mut signs = Vec::new();
                for (column, role) in ROLES.iter().enumerate() {
                    let heard = ask(&world, row, column).await;
                    signs.push(heard.sign());
                    if let Heard::Wrong(faults) = heard {
                        report.wrong(&row.name(), role, &faults);
                    }
                }
                report.line(&row.name(), &signs);
            }
        }
        report.section("B.3 Permissions and buttons");
        let (buttons, faults) = button::press(&world).await;
        for (name, signs) in &buttons {
            report.line(name, signs);
        }
        report.faults.extend(faults);
        report.faults.extend(refusal::faults(&world).await);
        println!("{}", report.text);
        assert!(report.faults.is_empty(), "\n{}", report.faults.join("\n"));
        insta::assert_snapshot!("web_client", report.text);
    }
}

/// Pickers send only the project and show the page that comes (`ui.md` §A.0).
#[tokio::test]
async fn lists_have_the_pages_that_the_client_expects() {
    for fresh in testing::fresh().await {
        let app = crate::app::TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let photo = |n: usize| store::capture::NewCapture {
            path: format!("{n}.jpg"),
            ..Default::default()
        };
        let photos: Vec<_> = (0..45).map(photo).collect();
        let saved = app.store.upsert_captures(&station, &photos);
        assert_eq!(saved.await.unwrap(), (45, 45));
        for n in 0..45 {
            app.project(&format!("Project {n}"), false).await;
        }
        for (path, shown) in [
            (format!("/captures/?project_id={}", project.id), 20),
            (
                format!("/captures/?project_id={}&limit=9999", project.id),
                45,
            ),
            ("/projects/".to_owned(), 40),
            ("/projects/?limit=9999".to_owned(), 46),
        ] {
            let body = app.anonymous().get(&format!("/api/v2{path}")).await.json();
            assert_eq!(
                body["results"].as_array().map(Vec::len),
                Some(shown),
                "{path}"
            );
        }
    }
}
