//! Plots in the recorded shape (`ui.md` §A.3): a title, a kind and what stands on its axes. The
//! idea: whatever is counted, hours, months and names are drawn alike.

use serde_json::{Value, json};
use store::chart::Months;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `10:00 PM`
fn clock(hour: u32) -> String {
    let half = if hour < 12 { "AM" } else { "PM" };
    let shown = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    format!("{shown}:00 {half}")
}

/// Numbers by hour. A night begins at noon, so that it is not cut in two.
pub fn hours(title: &str, mut hours: Vec<(u32, Value)>) -> Value {
    hours.sort_by_key(|(hour, _)| (hour + 12) % 24);
    let x: Vec<String> = hours.iter().map(|(hour, _)| clock(*hour)).collect();
    let y: Vec<&Value> = hours.iter().map(|(_, number)| number).collect();
    let ticks: Vec<&String> = match (x.first(), x.last()) {
        (Some(first), Some(last)) => vec![first, last],
        _ => Vec::new(),
    };
    json!({"title": title, "data": {"x": x, "y": y, "ticktext": ticks}, "type": "bar"})
}

/// Numbers by month, whatever the year.
pub fn months(title: &str, months: Months) -> Value {
    json!({
        "title": title,
        "data": {"x": MONTHS, "y": months, "tickvals": MONTHS},
        "type": "bar",
    })
}

/// Names with numbers, lying; they come with the largest first.
pub fn most(title: &str, names: &[(String, i64)]) -> Value {
    // The first stands on top, which is last.
    let x: Vec<i64> = names.iter().rev().map(|name| name.1).collect();
    let y: Vec<&String> = names.iter().rev().map(|name| &name.0).collect();
    json!({"title": title, "data": {"x": x, "y": y}, "type": "bar", "orientation": "h"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_read_from_noon_to_noon() {
        let numbers = [(0, 6), (12, 1), (23, 3)].map(|(hour, number)| (hour, json!(number)));
        let plot = hours("t", numbers.to_vec());
        let expected = json!({
            "x": ["12:00 PM", "11:00 PM", "12:00 AM"],
            "y": [1, 3, 6],
            "ticktext": ["12:00 PM", "12:00 AM"],
        });
        assert_eq!(plot["data"], expected);
        let nothing = hours("t", Vec::new());
        assert_eq!(nothing["data"], json!({"x": [], "y": [], "ticktext": []}));
    }
}
