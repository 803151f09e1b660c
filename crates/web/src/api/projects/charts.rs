//! A project's charts in the recorded shape: each has a title and plots, each plot its data
//! (`ui.md` §A.3).

use axum::Json;
use axum::extract::Path;
use domain::permission::Action;
use rest::ApiResult;
use serde_json::{Value, json};
use store::chart::Hour;
use store::project::Project;

use super::super::{internal, plots};
use super::find;
use crate::call::Call;

/// A plot of averages by hour.
fn by_hour(title: &str, hours: &[Hour], number: fn(&Hour) -> i64) -> Value {
    let average = |hour: &Hour| (number(hour) as f64 / hour.days.max(1) as f64).round();
    let hours = hours.iter().map(|hour| (hour.hour, json!(average(hour))));
    plots::hours(title, hours.collect())
}

/// All charts of a project.
pub async fn draw(call: &Call, project: &Project) -> ApiResult<Value> {
    let counted = call.store().project_charts(project).await;
    let counted = counted.map_err(internal)?;
    let hours = &counted.hours;
    Ok(json!([
        {"id": "captures", "title": "Captures", "plots": [
            by_hour("Average captures per hour", hours, |hour| hour.captures),
            plots::months("Captures per month", counted.captures),
        ]},
        {"id": "occurrences", "title": "Occurrences", "plots": [
            by_hour("Average detections per hour", hours, |hour| hour.detections),
            plots::months("Occurrences per month", counted.occurrences),
        ]},
        {"id": "taxa", "title": "Taxa", "plots": [
            plots::most("Top species observed", &counted.taxa),
            plots::months("Unique species per month", counted.species),
        ]},
    ]))
}

/// The charts of a project alone.
pub async fn charts(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (project, _) = find(&call, &id, Action::View).await?;
    let charts = draw(&call, &project).await?;
    Ok(Json(json!({"summary_data": charts})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_read_from_noon_to_noon() {
        let hour = |hour, captures| Hour {
            hour,
            days: 3,
            captures,
            detections: 38,
        };
        let hours = [hour(0, 18), hour(1, 18), hour(22, 10), hour(23, 8)];
        let plot = by_hour("t", &hours, |hour| hour.captures);
        let expected = json!({
            "title": "t",
            "data": {
                "x": ["10:00 PM", "11:00 PM", "12:00 AM", "1:00 AM"],
                "y": [3.0, 3.0, 6.0, 6.0],
                "ticktext": ["10:00 PM", "1:00 AM"],
            },
            "type": "bar",
        });
        assert_eq!(plot, expected);
        let empty = by_hour("t", &[], |hour| hour.captures);
        assert_eq!(empty["data"], json!({"x": [], "y": [], "ticktext": []}));
    }
}
