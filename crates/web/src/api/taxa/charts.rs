//! A taxon's charts in the active project (`ui.md` §A.9): when it was seen. The idea: readers of
//! charts know two recorded shapes, plots and groups of plots; each of these is a plot and a group
//! with itself in it, so that both find them.

use rest::ApiResult;
use serde_json::{Value, json};
use store::occurrence::list::OccurrenceFilter;

use crate::api::{internal, plots};
use crate::call::Call;

/// The charts of the occurrences that a filter lets through.
pub async fn draw(call: &Call, seen: &OccurrenceFilter) -> ApiResult<Value> {
    let found = call.store().occurrences_by_time(seen).await;
    let (hours, months) = found.map_err(internal)?;
    let hours = hours
        .into_iter()
        .map(|(hour, number)| (hour, json!(number)));
    Ok(json!([
        group(
            "hours",
            plots::hours("Occurrences per hour", hours.collect())
        ),
        group("months", plots::months("Occurrences per month", months)),
    ]))
}

fn group(id: &str, plot: Value) -> Value {
    let mut group = json!({"id": id, "plots": [plot]});
    if let (Some(group), Some(plot)) = (group.as_object_mut(), plot.as_object()) {
        group.extend(plot.clone());
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_its_own_group() {
        let plot = json!({"title": "t", "type": "bar", "data": {"x": [1], "y": [2]}});
        let group = group("hours", plot.clone());
        assert_eq!(group["plots"], json!([plot]));
        assert_eq!(group["title"], "t");
        assert_eq!(group["data"], plot["data"]);
    }
}
