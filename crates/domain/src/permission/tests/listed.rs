//! The words that answers list as what may be done with a row or in a list, for everybody of the
//! recording: one row of a table for each kind of row.

use super::*;

/// The sets of words of everybody, joined by spaces, in the order of [`people`].
fn words(list: impl Fn(Caller, &ProjectFacts) -> Vec<&'static str>) -> [String; 10] {
    people().map(|(_, caller, role)| list(caller, &open(role)).join(" "))
}

#[test]
fn the_recorded_lists_of_jobs() {
    let of = |kind| words(move |c, p| job_permissions(c, p, job(kind)));
    let (all, manager, basic) = (
        "run_single_image update delete run",
        "run_single_image update run",
        "run_single_image",
    );
    let ml = [
        all, manager, manager, manager, basic, basic, basic, "", "", "",
    ];
    assert_eq!(of("ml"), ml);
    assert_eq!(words(|c, p| job_permissions(c, p, SINGLE)), ml);
    for kind in [
        "data_storage_sync",
        "populate_captures_collection",
        "regroup_events",
        "data_export",
    ] {
        let (all, some) = ("update delete run", "update run");
        assert_eq!(
            of(kind),
            [all, some, some, some, "", "", "", "", "", ""],
            "{kind}"
        );
    }
    let some = "update";
    assert_eq!(
        of("post_processing"),
        [
            "update delete run",
            some,
            some,
            some,
            "",
            "",
            "",
            "",
            "",
            ""
        ]
    );
    assert_eq!(
        of("unknown"),
        ["update delete", some, some, some, "", "", "", "", "", ""]
    );
    assert_eq!(of("bogus"), of("unknown"));
}

#[test]
fn the_recorded_lists_of_what_hangs_on_jobs() {
    let none = "";
    let (ud, udp) = ("update delete", "update delete populate");
    assert_eq!(
        words(project_permissions),
        [
            "add update delete change",
            ud,
            ud,
            none,
            none,
            none,
            none,
            none,
            none,
            none
        ]
    );
    assert_eq!(
        words(|c, p| capture_set_permissions(c, p, false)),
        [udp, udp, udp, udp, none, none, none, none, none, none]
    );
    let starred = words(|c, p| capture_set_permissions(c, p, true));
    assert_eq!(
        (starred[0].as_str(), starred[6].as_str()),
        ("update delete star", "star")
    );
    assert_eq!(words(|c, _| pipeline_permissions(c))[..3], [ud, none, none]);
    let station = "update delete sync regroup";
    assert_eq!(
        words(deployment_permissions)[..5],
        [station, station, station, "sync", none]
    );
    let (all, some) = (
        "star update delete run_single_image_ml_job",
        "star run_single_image_ml_job",
    );
    assert_eq!(
        words(capture_permissions),
        [all, all, all, some, some, some, some, none, none, none]
    );
    assert_eq!(
        words(storage_permissions)[..4],
        [
            "test update delete",
            "test update delete",
            "test update delete",
            none
        ]
    );
    assert_eq!(
        words(|c, p| member_permissions(c, p, true))[5..7],
        ["delete", "delete"]
    );
    assert_eq!(
        words(|c, p| member_permissions(c, p, false))[1..4],
        [ud, ud, none]
    );
    let export = words(|c, p| object_permissions(c, p, "dataexport"));
    assert_eq!((export[0].as_str(), export[4].as_str()), (ud, "delete"));
}

#[test]
fn webhooks_are_the_managers_business() {
    let all = "test update delete";
    let of_row = words(webhook_permissions);
    assert_eq!(of_row, [all, all, all, "", "", "", "", "", "", ""]);
    let of_list = words(|c, p| webhook_list_permissions(c, Some(p)));
    assert_eq!(of_list.map(|w| w.len()), [6, 6, 6, 0, 0, 0, 0, 0, 0, 0]);
    let unscoped = words(|c, _| webhook_list_permissions(c, None));
    assert_eq!(unscoped.map(|w| w.len()), [6, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn create_is_listed_for_holders_in_the_active_project() {
    let create = words(|c, p| list_permissions(c, Some(p), "job"));
    assert_eq!(create.map(|w| w.len()), [6, 6, 6, 6, 6, 6, 6, 0, 0, 0]);
    let unscoped = words(|c, _| list_permissions(c, None, "job"));
    assert_eq!(unscoped.map(|w| w.len()), [6, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}
