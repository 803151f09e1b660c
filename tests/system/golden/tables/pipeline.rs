//! Pipelines, the algorithms they are made of, and how each project uses them.

use serde_json::json;
use store::testing::rows::Row;

use super::Table;

pub const PIPELINES: Table = Table {
    name: "ml_pipeline",
    needs: &[],
    links: &[],
    rows: |line| {
        vec![
            Row::new("pipeline")
                .int("id", line.int("id"))
                .text("slug", line.text("slug"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .int("version", line.int("version"))
                .text("version_name", line.text("version_name"))
                .json("stages", line.json("stages"))
                .json(
                    "default_config",
                    line.json("default_config").unwrap_or(json!({})),
                )
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};

pub const ALGORITHMS: Table = Table {
    name: "ml_pipeline_algorithms",
    needs: &[
        ("pipeline_id", "ml_pipeline"),
        ("algorithm_id", "ml_algorithm"),
    ],
    links: &[],
    rows: |line| {
        vec![
            Row::new("pipeline_algorithm")
                .int("pipeline_id", line.int("pipeline_id"))
                .int("algorithm_id", line.int("algorithm_id")),
        ]
    },
};

pub const OF_PROJECTS: Table = Table {
    name: "ml_projectpipelineconfig",
    needs: &[
        ("pipeline_id", "ml_pipeline"),
        ("project_id", "main_project"),
    ],
    links: &[],
    rows: |line| {
        vec![
            Row::new("project_pipeline")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .int("pipeline_id", line.int("pipeline_id"))
                .bool("enabled", line.bool("enabled"))
                .json("config", line.json("config").unwrap_or(json!({})))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
