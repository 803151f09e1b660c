//! Captures ("source images" there), the sessions they belong to ("events"), uploads and capture
//! sets. Times of captures are kept as the clock of the station showed them.

use super::step::{About, Rows};
use crate::entity::{capture, capture_set, capture_set_member, session, upload};

pub(super) const SESSIONS: Rows<session::Entity> = Rows {
    about: About {
        needs: &[("deployment_id", "station"), ("project_id", "project")],
        ..About::new("main_event", "session")
    },
    row: |line, world| {
        let start = line.local("start", world)?;
        let start = start.ok_or_else(|| "start is empty".to_owned())?;
        // The day keeps sessions of a station apart, so theirs is taken where it is one.
        let day = line.words("group_by")?.parse();
        Ok(session::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            station_id: line.opt("deployment_id")?,
            day: day.unwrap_or(start.date()),
            start_at: start,
            end_at: line.local("end", world)?,
            captures_count: 0,
            detections_count: 0,
            occurrences_count: 0,
            taxa_count: 0,
            counted_at: None,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const CAPTURES: Rows<capture::Entity> = Rows {
    about: About {
        needs: &[("deployment_id", "station"), ("project_id", "project")],
        links: &[("event_id", "session"), ("uploaded_by_id", "user")],
        ..About::new("main_sourceimage", "capture")
    },
    row: |line, world| {
        Ok(capture::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            station_id: line.opt("deployment_id")?,
            session_id: line.opt("event_id")?,
            path: line.get("path")?,
            public_base_url: line.text("public_base_url")?,
            taken_at: line.local("timestamp", world)?,
            width: line.opt("width")?,
            height: line.opt("height")?,
            size: line.opt("size")?,
            last_modified_at: line.opt("last_modified")?,
            checksum: line.text("checksum")?,
            checksum_algorithm: line.text("checksum_algorithm")?,
            test_image: line.opt("test_image")?.unwrap_or(false),
            uploaded_by_id: line.opt("uploaded_by_id")?,
            // Counted again at the end, by the rules of Hawkmoth.
            detections_count: 0,
            last_processed_at: None,
            boxes_count: 0,
            taxa_count: 0,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const UPLOADS: Rows<upload::Entity> = Rows {
    about: About {
        needs: &[("source_image_id", "capture"), ("deployment_id", "station")],
        links: &[("user_id", "user")],
        ..About::new("main_sourceimageupload", "upload")
    },
    row: |line, _| {
        Ok(upload::Model {
            id: line.key,
            path: line.get("image")?,
            station_id: line.get("deployment_id")?,
            capture_id: line.get("source_image_id")?,
            user_id: line.opt("user_id")?,
            created_at: line.get("created_at")?,
        })
    },
};

pub(super) const SETS: Rows<capture_set::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        ..About::new("main_sourceimagecollection", "capture_set")
    },
    row: |line, _| {
        Ok(capture_set::Model {
            id: line.key,
            project_id: line.get("project_id")?,
            name: line.get("name")?,
            description: line.words("description")?,
            method: line.words("method")?,
            kwargs: line.object("kwargs")?,
            captures_count: 0,
            found_count: 0,
            processed_count: 0,
            occurrences_count: 0,
            taxa_count: 0,
            counted_at: None,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const MEMBERS: Rows<capture_set_member::Entity> = Rows {
    about: About {
        needs: &[
            ("sourceimagecollection_id", "capture_set"),
            ("sourceimage_id", "capture"),
        ],
        numbered: false,
        ..About::new("main_sourceimagecollection_images", "capture_set_member")
    },
    row: |line, _| {
        Ok(capture_set_member::Model {
            capture_set_id: line.get("sourceimagecollection_id")?,
            capture_id: line.get("sourceimage_id")?,
        })
    },
};
