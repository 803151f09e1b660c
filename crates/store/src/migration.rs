//! Changes of the schema, one file each, applied in the order of the list below.
//! A migration that has landed is never edited; the next change is a new file.

use sea_orm_migration::prelude::*;

mod column;
mod m0001_people;
mod m0002_pipelines;
mod m0003_projects;
mod m0004_stations;
mod m0005_captures;
mod m0006_taxa;
mod m0007_detections;
mod m0008_exports;
mod m0009_jobs;
mod m0010_schedules;
mod m0011_workers;
mod m0021_pull;
mod m0041_logins;
mod m0042_job_events;
mod m0051_filter_taxa;
mod m0052_orders;
mod m0053_pages;
mod m0054_recounts;
mod m0061_capture_facts;
mod m0062_uploads;
mod m0063_set_counters;
mod m0064_session_facts;
mod m0065_sightings;
mod m0071_taxonomy;
mod m0072_occurrence_facts;
mod m0081_newest_jobs;
mod m0092_list_orders;
mod m0093_seen_taxa;
mod m0101_service_slots;
mod m0102_waiting_limits;
mod m0121_regroup_due;
mod m0131_schedules;
mod m0151_transfers;
mod m0161_boxes_by_algorithm;
mod m0171_job_spans;
mod m0172_streams;
mod m0173_boxes_index;
mod m0181_webhooks;
mod m0182_service_checks;
mod m0183_workers;
mod m0184_newest_events;
mod m0191_job_pages;
mod m0201_job_recounts;
mod m0211_outcomes;
mod m0212_outcomes_before;
mod m0213_jobs_of_tickets;
mod m0214_upload_paths;
mod m0215_jobs_of_scopes;

/// The list of migrations.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_people::Migration),
            Box::new(m0002_pipelines::Migration),
            Box::new(m0003_projects::Migration),
            Box::new(m0004_stations::Migration),
            Box::new(m0005_captures::Migration),
            Box::new(m0006_taxa::Migration),
            Box::new(m0007_detections::Migration),
            Box::new(m0008_exports::Migration),
            Box::new(m0009_jobs::Migration),
            Box::new(m0010_schedules::Migration),
            Box::new(m0011_workers::Migration),
            Box::new(m0021_pull::Migration),
            Box::new(m0041_logins::Migration),
            Box::new(m0042_job_events::Migration),
            Box::new(m0051_filter_taxa::Migration),
            Box::new(m0052_orders::Migration),
            Box::new(m0053_pages::Migration),
            Box::new(m0054_recounts::Migration),
            Box::new(m0061_capture_facts::Migration),
            Box::new(m0062_uploads::Migration),
            Box::new(m0063_set_counters::Migration),
            Box::new(m0064_session_facts::Migration),
            Box::new(m0065_sightings::Migration),
            Box::new(m0071_taxonomy::Migration),
            Box::new(m0072_occurrence_facts::Migration),
            Box::new(m0081_newest_jobs::Migration),
            Box::new(m0092_list_orders::Migration),
            Box::new(m0093_seen_taxa::Migration),
            Box::new(m0101_service_slots::Migration),
            Box::new(m0102_waiting_limits::Migration),
            Box::new(m0121_regroup_due::Migration),
            Box::new(m0131_schedules::Migration),
            Box::new(m0151_transfers::Migration),
            Box::new(m0161_boxes_by_algorithm::Migration),
            Box::new(m0171_job_spans::Migration),
            Box::new(m0172_streams::Migration),
            Box::new(m0173_boxes_index::Migration),
            Box::new(m0181_webhooks::Migration),
            Box::new(m0182_service_checks::Migration),
            Box::new(m0183_workers::Migration),
            Box::new(m0184_newest_events::Migration),
            Box::new(m0191_job_pages::Migration),
            Box::new(m0201_job_recounts::Migration),
            Box::new(m0211_outcomes::Migration),
            Box::new(m0212_outcomes_before::Migration),
            Box::new(m0213_jobs_of_tickets::Migration),
            Box::new(m0214_upload_paths::Migration),
            Box::new(m0215_jobs_of_scopes::Migration),
        ]
    }
}
