//! Log lines of jobs.

use store::testing::rows::Row;

use super::Table;

pub const LINES: Table = Table {
    name: "jobs_joblog",
    needs: &[("job_id", "jobs_job")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("job_log")
                .int("id", line.int("id"))
                .int("job_id", line.int("job_id"))
                .text("level", line.text("level"))
                .text("message", line.text("message"))
                .instant("created_at", line.instant("created_at")),
        ]
    },
};
