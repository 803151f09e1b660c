//! Programs and databases of different versions: who is newer, who is behind, and who changes the
//! schema when several begin at once.

use std::path::Path;
use std::process::{Command, Stdio};

use store::Store;
use store::testing::{self, Blank, make_newer};

use crate::program::{self, said};

/// Every command that works on a database for long, and so that it ends by itself: without keys no
/// bucket opens, which is looked at after the database.
const RUNNING: [&str; 3] = ["serve", "web", "work"];

fn hawkmoth(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = program::hawkmoth();
    command
        .env("HAWKMOTH_DATABASE_URL", url)
        .env("HAWKMOTH_BIND", "127.0.0.1:0")
        .env("HAWKMOTH_FILES", "s3://nowhere");
    command.current_dir(dir).args(arguments);
    command
}

fn refused(dir: &Path, url: &str, arguments: &[&str]) -> String {
    program::refused(&mut hawkmoth(dir, url, arguments))
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for fresh in testing::fresh().await {
        make_newer(&fresh.store).await;
        for command in RUNNING.into_iter().chain(["migrate", "demo"]) {
            let said = refused(dir.path(), &fresh.url, &[command]);
            assert!(
                said.contains("use that version or a newer one"),
                "{command}: {said}"
            );
        }
        for command in RUNNING {
            let said = refused(dir.path(), &fresh.url, &[command, "--migrate"]);
            assert!(
                said.contains("use that version or a newer one"),
                "{command}: {said}"
            );
        }
    }
}

async fn is_behind(blank: &Blank) -> bool {
    let store = Store::open(&blank.url).await.unwrap();
    store.check_schema().await.is_err()
}

#[tokio::test]
async fn a_database_that_is_behind_is_brought_forward_where_that_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    for command in RUNNING {
        for behind in testing::behind().await {
            let said = refused(dir.path(), &behind.url, &[command]);
            assert!(
                said.contains("lacks 1 changes of its schema: run `hawkmoth migrate` first"),
                "{command}: {said}"
            );
            assert!(is_behind(&behind).await);
            let said = refused(dir.path(), &behind.url, &[command, "--migrate"]);
            assert!(said.contains("set AWS_ACCESS_KEY_ID"), "{command}: {said}");
            assert!(!is_behind(&behind).await, "{command}");
        }
    }
}

#[tokio::test]
async fn processes_that_begin_at_once_change_the_schema_once() {
    let dir = tempfile::tempdir().unwrap();
    for blank in testing::blank().await {
        let all = ["migrate", "migrate", "web", "work", "migrate"].map(|command| {
            let mut command = hawkmoth(dir.path(), &blank.url, &[command]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        });
        let said = all.map(|process| said(&process.wait_with_output().unwrap()));
        let applied = said
            .iter()
            .filter(|text| text.starts_with("Applied "))
            .count();
        assert!(applied <= 1, "{said:?}");
        for (text, of) in said
            .iter()
            .zip(["migrate", "migrate", "web", "work", "migrate"])
        {
            let expected = match of {
                "migrate" => ["Applied ", "The database is up to date."],
                // The schema was there: the next thing that it looks at is not.
                _ => ["hawkmoth: the bucket nowhere needs a key"; 2],
            };
            assert!(
                expected.iter().any(|words| text.starts_with(words)),
                "{of}: {text}"
            );
        }
        assert!(!is_behind(&blank).await);
    }
}
