//! The tables that a copy moves, in an order in which every row finds what it points to. A test
//! compares them with the tables, columns and foreign keys that the migrations make.

use super::whole::{Table, Whole};
use crate::entity::*;

/// All tables but those that belong to one database alone: its list of migrations, and the place
/// of what is copied into it.
pub(crate) const TABLES: &[&dyn Table] = &[
    &Whole::<user::Entity>::new(),
    &Whole::<token::Entity>::new(),
    &Whole::<login::Entity>::new(),
    &Whole::<page::Entity>::new(),
    &Whole::<category_map::Entity>::new().long(),
    &Whole::<algorithm::Entity>::new(),
    &Whole::<pipeline::Entity>::new(),
    &Whole::<pipeline_algorithm::Entity>::new(),
    &Whole::<project::Entity>::new(),
    &Whole::<membership::Entity>::new(),
    &Whole::<project_pipeline::Entity>::new(),
    &Whole::<processing_service::Entity>::new(),
    &Whole::<service_pipeline::Entity>::new(),
    &Whole::<service_project::Entity>::new(),
    &Whole::<service_slot::Entity>::new(),
    &Whole::<service_check::Entity>::new(),
    &Whole::<site::Entity>::new(),
    &Whole::<device::Entity>::new(),
    &Whole::<storage_source::Entity>::new(),
    &Whole::<station::Entity>::new(),
    &Whole::<session::Entity>::new(),
    &Whole::<capture::Entity>::new(),
    &Whole::<capture_set::Entity>::new(),
    &Whole::<capture_set_member::Entity>::new(),
    &Whole::<upload::Entity>::new(),
    &Whole::<taxon::Entity>::new().naming(&[taxon::Column::ParentId]),
    &Whole::<tag::Entity>::new(),
    &Whole::<taxa_list::Entity>::new(),
    &Whole::<taxa_list_taxon::Entity>::new(),
    &Whole::<taxa_list_project::Entity>::new(),
    &Whole::<taxon_project::Entity>::new(),
    &Whole::<taxon_tag::Entity>::new(),
    &Whole::<filter_taxon::Entity>::new(),
    &Whole::<seen_taxon::Entity>::new(),
    &Whole::<occurrence::Entity>::new(),
    &Whole::<detection::Entity>::new(),
    &Whole::<classification::Entity>::new()
        .long()
        .naming(&[classification::Column::AppliedToId]),
    &Whole::<identification::Entity>::new()
        .naming(&[identification::Column::AgreedWithIdentificationId]),
    &Whole::<export::Entity>::new(),
    &Whole::<job::Entity>::new().long(),
    &Whole::<job_log::Entity>::new(),
    &Whole::<job_event::Entity>::new(),
    &Whole::<job_request::Entity>::new(),
    &Whole::<job_progress::Entity>::new(),
    &Whole::<job_rate::Entity>::new(),
    &Whole::<job_stream::Entity>::new(),
    &Whole::<job_recount::Entity>::new(),
    &Whole::<task_result::Entity>::new(),
    &Whole::<ticket::Entity>::new(),
    &Whole::<worker::Entity>::new(),
    &Whole::<schedule::Entity>::new(),
    &Whole::<schedule_run::Entity>::new(),
    &Whole::<schedule_job::Entity>::new(),
    &Whole::<webhook::Entity>::new(),
    &Whole::<webhook_delivery::Entity>::new(),
    &Whole::<duty::Entity>::new(),
];
