//! Tests of jobs, their feed, tickets and results.
