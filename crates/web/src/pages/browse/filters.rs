//! The panel that narrows, orders and searches a list (`browsable-api.md` §5). The idea: each of
//! its three parts keeps what the others have set.

use rest::field::{Field, Kind};
use rest::query::Query;
use serde_json::Value;

use super::control::Control;
use super::navigation::Link;
use crate::views::View;

/// The panel.
pub struct Filters {
    pub controls: Vec<Control>,
    pub orders: Vec<Link>,
    /// The words that are searched for, where the list can be searched.
    pub search: Option<String>,
    /// What the form of filters hands on unchanged.
    pub beside_controls: Vec<(String, String)>,
    /// What the search hands on unchanged.
    pub beside_search: Vec<(String, String)>,
    /// How many filters and searches hold.
    pub active: usize,
    /// The list without any of them.
    pub all: String,
}

impl Filters {
    /// The panel of an address, if it has any.
    pub fn new(view: &View, path: &str, query: &Query) -> Option<Filters> {
        let names: Vec<&str> = view.filters.iter().map(|field| field.name).collect();
        if names.is_empty() && view.orders.is_empty() && !view.searched {
            return None;
        }
        let set = |name: &&str| query.get(name).is_some_and(|value| !value.is_empty());
        let searched = view.searched && set(&"search");
        let kept = |dropped: &dyn Fn(&str) -> bool| {
            let pairs = query
                .pairs()
                .filter(|(name, _)| !dropped(name) && *name != "offset");
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        };
        let cleared: Vec<(&str, Option<String>)> = names
            .iter()
            .chain(&["search", "offset"])
            .map(|name| (*name, None))
            .collect();
        Some(Filters {
            controls: view
                .filters
                .iter()
                .map(|field| control(field, query))
                .collect(),
            orders: orders(view, path, query),
            search: view
                .searched
                .then(|| query.get("search").unwrap_or_default().to_owned()),
            beside_controls: kept(&|name| names.contains(&name)),
            beside_search: kept(&|name| name == "search"),
            active: names.iter().filter(|name| set(name)).count() + usize::from(searched),
            all: format!("{path}?{}", query.with(&cleared)),
        })
    }
}

fn control(field: &Field, query: &Query) -> Control {
    let value = query.get(field.name).unwrap_or_default();
    let is_set = query.get(field.name).is_some();
    let value = match field.kind {
        // A flag counts as set by being there.
        Kind::Boolean if is_set => query.flag(field.name).to_string(),
        _ => value.to_owned(),
    };
    let control = Control::new(field, &Value::from(value), None, true);
    Control {
        id: format!("filter-{}", field.name),
        required: false,
        ..control
    }
}

/// Two links for each field that a list can be ordered by.
fn orders(view: &View, path: &str, query: &Query) -> Vec<Link> {
    let current = query.get("ordering").unwrap_or_default();
    let link = |name: &str, descending: bool| {
        let key = if descending {
            format!("-{name}")
        } else {
            name.to_owned()
        };
        let words = name.replace("__", " ").replace('_', " ");
        let query = query.with(&[("ordering", Some(key.clone())), ("offset", None)]);
        Link {
            text: if descending {
                format!("{words} – descending")
            } else {
                words
            },
            url: format!("{path}?{query}"),
            current: current == key,
        }
    };
    let both = |name: &&str| [link(name, false), link(name, true)];
    view.orders.iter().flat_map(both).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::views;

    fn filters(query: &str) -> Filters {
        let view = views::at("/jobs").unwrap();
        Filters::new(view, "/api/v2/jobs/", &Query::parse(query)).unwrap()
    }

    #[test]
    fn each_part_keeps_what_the_others_have_set() {
        let filters =
            filters("status=STARTED&search=a+b&ordering=-name&limit=5&offset=10&format=api");
        let names = |pairs: &[(String, String)]| {
            pairs
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            names(&filters.beside_controls),
            "search ordering limit format"
        );
        assert_eq!(
            names(&filters.beside_search),
            "status ordering limit format"
        );
        assert_eq!(filters.active, 2);
        assert_eq!(filters.search.as_deref(), Some("a b"));
        let chosen: Vec<&Link> = filters
            .orders
            .iter()
            .filter(|order| order.current)
            .collect();
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen[0].text, "name – descending");
        let up = filters
            .orders
            .iter()
            .find(|order| order.text == "name")
            .unwrap();
        assert_eq!(
            up.url,
            "/api/v2/jobs/?format=api&limit=5&ordering=name&search=a+b&status=STARTED"
        );
        assert_eq!(
            filters.all,
            "/api/v2/jobs/?format=api&limit=5&ordering=-name"
        );
    }

    #[test]
    fn an_address_without_any_has_no_panel() {
        let view = views::at("/jobs/{id}").unwrap();
        assert!(Filters::new(view, "/api/v2/jobs/1/", &Query::default()).is_none());
    }
}
