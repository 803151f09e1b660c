//! Live streams and who reads them: each ends after a while, and who has lost the right to see
//! something is told no more of it.

use std::time::Duration;

use domain::permission::Role;
use store::job::NewJob;
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn who_may_see_no_more_hears_no_more() {
    for fresh in testing::fresh().await {
        let limits = web::Limits {
            live: Duration::from_secs(1),
            ..web::Limits::USUAL
        };
        let app = TestApp::start_with(&fresh, |state| state.within(limits)).await;
        let draft = app.project("Draft", true).await;
        let new = NewJob {
            name: "Night".to_owned(),
            project_id: draft.id,
            kind: domain::job::REGROUP,
            ..Default::default()
        };
        let id = app.store.create_job(new).await.unwrap().id;
        let member = app.member(&draft, Some(Role::BasicMember)).await;
        let jobs = format!("/projects/{}/jobs", draft.id);
        let live = [
            format!("{jobs}/{id}/live"),
            format!("{jobs}/live?after={id}&ids={id}"),
        ];
        // A stream that is read to its end has one.
        for path in &live {
            let told = tokio::time::timeout(Duration::from_secs(60), member.get(path)).await;
            let told = told.unwrap();
            assert_eq!(told.status, 200, "{path}");
            for words in ["retry: 2000", "Created"] {
                assert!(told.text.contains(words), "{path}: {}", told.text);
            }
        }
        let user = app.store.user_by_email("basicmember@example.org").await;
        let user = user.unwrap().unwrap().id;
        let (members, _) = app.store.members(draft.id, 50, 0).await.unwrap();
        let row = members.iter().find(|(_, member)| member.id == user);
        let row = row.unwrap().0.id;
        let path = format!("/api/v2/projects/{}/members/{row}/", draft.id);
        let admin = app.superuser().await;
        let removed = admin.delete(&path).await;
        assert_eq!(removed.status, 204, "{}", removed.text);
        for path in &live {
            assert_eq!(member.get(path).await.status, 404, "{path}");
        }
    }
}
