//! Log lines of jobs. Nobody points to one by its id, so they get new ones.

use store::testing::rows::Row;

use super::Table;

pub const LINES: Table = Table {
    name: "jobs_joblog",
    needs: &[("job_id", "jobs_job")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("job_log")
                .int("job_id", line.int("job_id"))
                .text("level", line.text("level"))
                .text("message", line.text("message"))
                .instant("created_at", line.instant("created_at")),
        ]
    },
};
