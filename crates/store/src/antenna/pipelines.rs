//! What captures are processed with: algorithms and their classes, pipelines, and the services that
//! offer them.

use super::step::{About, Rows};
use crate::entity::{
    algorithm, category_map, pipeline, pipeline_algorithm, processing_service, project_pipeline,
    service_pipeline, service_project,
};

pub(super) const MAPS: Rows<category_map::Entity> = Rows {
    about: About::new("ml_algorithmcategorymap", "category_map"),
    row: |line, _| {
        Ok(category_map::Model {
            id: line.key,
            data: line.list("data")?,
            labels: line.list("labels")?,
            version: line.text("version")?,
            description: line.text("description")?,
            uri: line.text("uri")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const ALGORITHMS: Rows<algorithm::Entity> = Rows {
    about: About {
        links: &[("category_map_id", "category_map")],
        ..About::new("ml_algorithm", "algorithm")
    },
    row: |line, _| {
        Ok(algorithm::Model {
            id: line.key,
            key: line.get("key")?,
            name: line.get("name")?,
            description: line.words("description")?,
            version: line.get("version")?,
            version_name: line.text("version_name")?,
            task_type: line.text("task_type")?,
            uri: line.text("uri")?,
            category_map_id: line.opt("category_map_id")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const PIPELINES: Rows<pipeline::Entity> = Rows {
    about: About::new("ml_pipeline", "pipeline"),
    row: |line, _| {
        Ok(pipeline::Model {
            id: line.key,
            slug: line.get("slug")?,
            name: line.get("name")?,
            description: line.words("description")?,
            version: line.get("version")?,
            version_name: line.words("version_name")?,
            stages: line.list("stages")?,
            default_config: line.object("default_config")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const PARTS: Rows<pipeline_algorithm::Entity> = Rows {
    about: About {
        needs: &[("pipeline_id", "pipeline"), ("algorithm_id", "algorithm")],
        numbered: false,
        ..About::new("ml_pipeline_algorithms", "pipeline_algorithm")
    },
    row: |line, _| {
        Ok(pipeline_algorithm::Model {
            pipeline_id: line.get("pipeline_id")?,
            algorithm_id: line.get("algorithm_id")?,
        })
    },
};

pub(super) const OF_PROJECTS: Rows<project_pipeline::Entity> = Rows {
    about: About {
        needs: &[("pipeline_id", "pipeline"), ("project_id", "project")],
        ..About::new("ml_projectpipelineconfig", "project_pipeline")
    },
    row: |line, _| {
        Ok(project_pipeline::Model {
            id: line.key,
            project_id: line.get("project_id")?,
            pipeline_id: line.get("pipeline_id")?,
            enabled: line.get("enabled")?,
            config: line.object("config")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const SERVICES: Rows<processing_service::Entity> = Rows {
    about: About::new("ml_processingservice", "processing_service"),
    row: |line, _| {
        Ok(processing_service::Model {
            id: line.key,
            name: line.get("name")?,
            description: line.words("description")?,
            endpoint_url: line.text("endpoint_url")?,
            last_seen_at: line.opt("last_seen")?,
            last_seen_live: line.opt("last_seen_live")?,
            last_seen_latency: line.opt("last_seen_latency")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const OF_SERVICES: Rows<service_pipeline::Entity> = Rows {
    about: About {
        needs: &[
            ("processingservice_id", "processing_service"),
            ("pipeline_id", "pipeline"),
        ],
        numbered: false,
        ..About::new("ml_processingservice_pipelines", "service_pipeline")
    },
    row: |line, _| {
        Ok(service_pipeline::Model {
            service_id: line.get("processingservice_id")?,
            pipeline_id: line.get("pipeline_id")?,
        })
    },
};

pub(super) const USERS_OF_SERVICES: Rows<service_project::Entity> = Rows {
    about: About {
        needs: &[
            ("processingservice_id", "processing_service"),
            ("project_id", "project"),
        ],
        numbered: false,
        ..About::new("ml_processingservice_projects", "service_project")
    },
    row: |line, _| {
        Ok(service_project::Model {
            service_id: line.get("processingservice_id")?,
            project_id: line.get("project_id")?,
        })
    },
};
