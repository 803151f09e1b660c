//! A page for tests of the formats: one moth that people agreed about, and one thing of which little
//! is known.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::storage::Location;
use files::{Links, Signer};
use rest::Zone;
use serde_json::json;
use store::capture::Capture;
use store::export::Export;
use store::identification::Identification;
use store::occurrence::Occurrence;
use store::occurrence::detail::Sighting;
use store::occurrence::prediction::Prediction;
use store::pipeline::Algorithm;
use store::project::Project;
use store::session::Session;
use store::station::Station;
use store::taxon::Taxon;
use store::user::User;

use super::{About, Page};

fn instant() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 250_000_000).unwrap_or_default()
}

fn night(minute: i64) -> NaiveDateTime {
    DateTime::from_timestamp(1_660_166_107 + 60 * minute, 0)
        .unwrap_or_default()
        .naive_utc()
}

/// What holds for the file; `folder` is where it may put others.
pub fn about(folder: &Path) -> Arc<About> {
    let project = Project {
        id: 1,
        name: "Moths & \"more\"".to_owned(),
        description: "Lights\tin the <forest>.\u{1}".to_owned(),
        image: None,
        draft: false,
        active: true,
        priority: 1,
        owner_id: None,
        feature_flags: json!({}),
        session_time_gap_seconds: 7200,
        score_threshold: 0.5,
        default_pipeline_id: None,
        recount_after: None,
        taxa_counted_at: None,
        worker_wait_minutes: None,
        created_at: instant(),
        updated_at: instant(),
    };
    let export = Export {
        id: 9,
        project_id: 1,
        user_id: None,
        format: String::new(),
        filters: json!({}),
        filters_display: json!({}),
        file_url: None,
        record_count: 2,
        file_size: 0,
        created_at: instant(),
        updated_at: instant(),
    };
    Arc::new(About {
        project,
        export,
        links: Links::new(Signer::new([1; 32], "/media"), "http://127.0.0.1:9"),
        zone: Zone::default(),
        folder: folder.to_owned(),
    })
}

fn occurrence(id: i64) -> Occurrence {
    Occurrence {
        id,
        project_id: Some(1),
        station_id: None,
        session_id: None,
        determination_id: Some(21),
        determination_score: None,
        first_seen_at: None,
        last_seen_at: None,
        boxes_count: 1,
        created_at: instant(),
        updated_at: instant(),
    }
}

fn taxon(id: i64, name: &str, rank: &str, parent_id: Option<i64>) -> Taxon {
    let parents = match parent_id {
        Some(20) => json!([{"id": 20, "name": "Vanessa", "rank": "GENUS"}]),
        _ => json!([]),
    };
    Taxon {
        id,
        name: name.to_owned(),
        rank: rank.to_owned(),
        parent_id,
        active: true,
        search_names: json!([]),
        parents,
        gbif_key: parent_id.map(|_| 1_898_286),
        common_name_en: parent_id.map(|_| "Red Admiral".to_owned()),
        inat_taxon_id: None,
        fieldguide_id: None,
        cover_image_url: None,
        cover_image_credit: None,
        created_at: instant(),
        updated_at: instant(),
    }
}

fn sighting(id: i64, occurrence_id: i64, minute: i64) -> Sighting {
    Sighting {
        id,
        occurrence_id,
        capture_id: 40 + minute,
        x1: Some(250.0),
        y1: Some(581.5),
        x2: Some(312.0),
        y2: Some(643.0),
        path: None,
        taken_at: Some(night(minute)),
    }
}

fn prediction(id: i64, detection_id: i64, score: f64) -> Prediction {
    Prediction {
        id,
        detection_id,
        taxon_id: Some(22),
        algorithm_id: Some(5),
        score: Some(score),
        terminal: true,
        applied_to_id: None,
        created_at: instant(),
    }
}

fn identification(id: i64, user: i64, agreed: [Option<i64>; 2]) -> Identification {
    Identification {
        id,
        occurrence_id: 3,
        taxon_id: Some(22),
        user_id: Some(user),
        comment: "seen\nclosely".to_owned(),
        withdrawn: false,
        agreed_with_identification_id: agreed[0],
        agreed_with_prediction_id: agreed[1],
        created_at: instant() + chrono::Duration::minutes(id),
        updated_at: instant(),
    }
}

fn user(id: i64, name: &str) -> User {
    User {
        id,
        email: format!("{}@example.org", name.to_lowercase()),
        password: String::new(),
        name: name.to_owned(),
        image: None,
        is_staff: false,
        is_superuser: false,
        is_active: true,
        created_at: instant(),
        last_login_at: None,
    }
}

fn algorithm() -> Algorithm {
    Algorithm {
        id: 5,
        key: "names".to_owned(),
        name: "Names".to_owned(),
        description: String::new(),
        version: 1,
        version_name: None,
        task_type: Some("classification".to_owned()),
        uri: None,
        category_map_id: Some(6),
        created_at: instant(),
        updated_at: instant(),
    }
}

fn station() -> Station {
    Station {
        id: 7,
        project_id: Some(1),
        name: "Meadow, north".to_owned(),
        description: String::new(),
        image: None,
        latitude: Some(45.5),
        longitude: Some(-73.25),
        site_id: None,
        device_id: None,
        source_id: None,
        source_subdir: None,
        source_regex: None,
        source_total_files: None,
        source_total_size: None,
        source_checked_at: None,
        captures_count: 0,
        sessions_count: 0,
        detections_count: 0,
        occurrences_count: 0,
        taxa_count: 0,
        first_capture_at: None,
        last_capture_at: None,
        regroup_lock: None,
        regroup_lock_until: None,
        regroup_due_at: None,
        created_at: instant(),
        updated_at: instant(),
    }
}

fn session() -> Session {
    Session {
        id: 8,
        project_id: Some(1),
        station_id: Some(7),
        day: night(0).date(),
        start_at: night(0),
        end_at: Some(night(60)),
        captures_count: 0,
        detections_count: 0,
        occurrences_count: 0,
        taxa_count: 0,
        counted_at: None,
        created_at: instant(),
        updated_at: instant(),
    }
}

fn capture(id: i64) -> Capture {
    Capture {
        id,
        project_id: Some(1),
        station_id: Some(7),
        session_id: Some(8),
        path: format!("{id}.jpg"),
        public_base_url: None,
        taken_at: None,
        width: Some(4096),
        height: Some(2160),
        size: None,
        last_modified_at: None,
        checksum: None,
        checksum_algorithm: None,
        test_image: false,
        uploaded_by_id: None,
        detections_count: 0,
        last_processed_at: None,
        boxes_count: 0,
        taxa_count: 0,
        created_at: instant(),
        updated_at: instant(),
    }
}

fn by_id<T>(rows: Vec<T>, id: fn(&T) -> i64) -> HashMap<i64, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

/// The page.
pub fn page(about: Arc<About>) -> Page {
    let moth = Occurrence {
        station_id: Some(7),
        session_id: Some(8),
        determination_id: Some(22),
        determination_score: Some(1.0),
        first_seen_at: Some(night(0)),
        last_seen_at: Some(night(5)),
        boxes_count: 2,
        ..occurrence(3)
    };
    let taxa = vec![
        taxon(20, "Vanessa", "GENUS", None),
        taxon(21, "Not identifiable", "UNKNOWN", None),
        taxon(22, "Vanessa atalanta", "SPECIES", Some(20)),
    ];
    let web = Location::Web {
        url: "https://photos.example.org/40.jpg".to_owned(),
    };
    let folder = Location::Folder {
        source: 1,
        root: "/nowhere".to_owned(),
        key: "45.jpg".to_owned(),
    };
    let said = vec![
        identification(2, 12, [Some(1), None]),
        identification(1, 11, [None, Some(31)]),
    ];
    Page {
        about,
        rows: vec![occurrence(4), moth],
        algorithms: by_id(vec![algorithm()], |a| a.id),
        people: by_id(vec![user(11, "Ada"), user(12, "Zoë")], |u| u.id),
        captures: by_id(vec![capture(40), capture(45)], |c| c.id),
        stations: by_id(vec![station()], |s| s.id),
        sessions: by_id(vec![session()], |s| s.id),
        taxa: by_id(taxa, |t| t.id),
        predictions: [(3, vec![prediction(31, 51, 0.875), prediction(32, 52, 0.5)])].into(),
        identifications: [(3, said)].into(),
        boxes: [
            (3, vec![sighting(52, 3, 5), sighting(51, 3, 0)]),
            (4, vec![sighting(53, 4, 0)]),
        ]
        .into(),
        places: [(40, web), (45, folder)].into(),
    }
}
