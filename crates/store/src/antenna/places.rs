//! Where photographs are taken and where they lie: sites, devices, storage sources, stations.
//! The keys of a bucket are sealed before they are written.

use domain::storage::S3;

use super::step::{About, Rows};
use crate::entity::{device, site, station, storage_source};

pub(super) const SITES: Rows<site::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        ..About::new("main_site", "site")
    },
    row: |line, _| {
        Ok(site::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            name: line.get("name")?,
            description: line.words("description")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const DEVICES: Rows<device::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        ..About::new("main_device", "device")
    },
    row: |line, _| {
        Ok(device::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            name: line.get("name")?,
            description: line.words("description")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const SOURCES: Rows<storage_source::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        ..About::new("main_s3storagesource", "storage_source")
    },
    row: |line, world| {
        let sealed = |key: String| match key.is_empty() {
            true => key,
            false => (world.terms.seal)(&key),
        };
        Ok(storage_source::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            name: line.get("name")?,
            kind: S3.to_owned(),
            bucket: line.get("bucket")?,
            prefix: line.words("prefix")?,
            region: line.text("region")?,
            endpoint_url: line.text("endpoint_url")?,
            public_base_url: line.text("public_base_url")?,
            access_key: sealed(line.words("access_key")?),
            secret_key: sealed(line.words("secret_key")?),
            total_files: line.opt("total_files")?,
            total_size: line.opt("total_size")?,
            last_checked_at: line.opt("last_checked")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const STATIONS: Rows<station::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        links: &[
            ("research_site_id", "site"),
            ("device_id", "device"),
            ("data_source_id", "storage_source"),
        ],
        ..About::new("main_deployment", "station")
    },
    row: |line, world| {
        Ok(station::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            name: line.get("name")?,
            description: line.words("description")?,
            image: line.text("image")?,
            latitude: line.opt("latitude")?,
            longitude: line.opt("longitude")?,
            site_id: line.opt("research_site_id")?,
            device_id: line.opt("device_id")?,
            source_id: line.opt("data_source_id")?,
            source_subdir: line.text("data_source_subdir")?,
            source_regex: line.text("data_source_regex")?,
            source_total_files: line.opt("data_source_total_files")?,
            source_total_size: line.opt("data_source_total_size")?,
            source_checked_at: line.opt("data_source_last_checked")?,
            // Counted again at the end, by the rules of Hawkmoth.
            captures_count: 0,
            sessions_count: 0,
            detections_count: 0,
            occurrences_count: 0,
            taxa_count: 0,
            first_capture_at: line.local("first_capture_timestamp", world)?,
            last_capture_at: line.local("last_capture_timestamp", world)?,
            regroup_lock: None,
            regroup_lock_until: None,
            regroup_due_at: None,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};
