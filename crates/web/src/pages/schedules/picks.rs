//! What the steps of a chain may name: stations, capture sets and pipelines. The idea: few are
//! offered in each step; many are offered once, in lists that the fields of all steps open, and
//! are then named by their numbers, so that a form of twenty steps stays light.

use store::{Store, StoreResult};

use crate::pages::form::Shown;
use crate::pages::jobs::Choice;
use crate::pages::offered::{self, Offered};

/// Options of all steps together at most; where there would be more, they are offered once.
const OPTIONS: usize = 400;
/// Of each kind, so many are offered: the first by name, and those that are chosen.
const FIRST: u64 = 150;

/// What a field is called before its place, in words and where it is empty, and the list of it.
type Kind = (&'static str, &'static str, &'static str, &'static str);

const KINDS: [Kind; 3] = [
    ("station", "Station", "any or none", "stations"),
    ("set", "Capture set", "none", "sets"),
    ("pipeline", "Pipeline", "none", "pipelines"),
];

/// A field of a step that names something.
pub struct Pick {
    pub field: String,
    pub label: &'static str,
    /// What it says where nothing is chosen.
    pub none: &'static str,
    pub options: Vec<Choice>,
    /// The list that it opens, where it is typed instead of chosen.
    pub list: Option<&'static str>,
    pub value: String,
    /// The name of what is typed.
    pub name: String,
}

/// A list that the fields of all steps open.
pub struct List {
    pub name: &'static str,
    pub options: Vec<(i64, String)>,
}

/// The fields of a form.
pub struct Picks {
    /// Those of each step.
    pub steps: Vec<Vec<Pick>>,
    /// The lists, where things are typed.
    pub lists: Vec<List>,
}

/// The name of a field of the step at this place.
pub fn field(stem: &str, place: usize) -> String {
    format!("{stem}-{place}")
}

impl Picks {
    /// Reads what a form of so many steps offers.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn read(
        store: &Store,
        project: i64,
        form: &Shown,
        steps: usize,
    ) -> StoreResult<Picks> {
        let chosen = |stem: &str| -> Vec<i64> {
            let values =
                (0..steps).map(|place| form.value(&field(stem, place)).trim().parse::<i64>());
            values.filter_map(Result::ok).collect()
        };
        let (station, set, pipeline) = (chosen("station"), chosen("set"), chosen("pipeline"));
        let stations = offered::stations(store, project, FIRST, &station).await?;
        let sets = offered::sets(store, project, FIRST, &set).await?;
        let pipelines = offered::pipelines(store, project, FIRST, &pipeline).await?;
        let offered = [
            stations.kept(&station),
            sets.kept(&set),
            pipelines.kept(&pipeline),
        ];
        Ok(Picks::of(offered, form, steps))
    }

    fn of(offered: [Offered; 3], form: &Shown, steps: usize) -> Picks {
        let all: usize = offered.iter().map(|some| some.all.len()).sum();
        let typed = all * steps > OPTIONS || offered.iter().any(|some| some.more > 0);
        let pick = |place: usize, (kind, some): (&Kind, &Offered)| {
            let (stem, label, none, list) = *kind;
            let field = field(stem, place);
            let value = form.value(&field).trim().to_owned();
            let options = some.all.iter().map(|(id, name)| Choice {
                value: id.to_string(),
                name: name.clone(),
                chosen: id.to_string() == value,
            });
            let options: Vec<Choice> = options.collect();
            let name = options.iter().find(|choice| choice.chosen);
            Pick {
                name: name.map_or(String::new(), |choice| choice.name.clone()),
                field,
                label,
                none,
                options: if typed { Vec::new() } else { options },
                list: typed.then_some(list),
                value,
            }
        };
        let of_step = |place: usize| -> Vec<Pick> {
            let kinds = KINDS.iter().zip(&offered);
            kinds.map(|both| pick(place, both)).collect()
        };
        let steps = (0..steps).map(of_step).collect();
        let lists = KINDS.iter().zip(offered).map(|(kind, some)| List {
            name: kind.3,
            options: some.all,
        });
        Picks {
            steps,
            lists: if typed { lists.collect() } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(count: i64, more: u64) -> Offered {
        let all = (1..=count).map(|id| (id, format!("No {id}")));
        Offered {
            all: all.collect(),
            more,
        }
    }

    #[test]
    fn few_are_offered_in_each_step_and_many_once() {
        let form = Shown::fresh(&[("set-1", "2".to_owned()), ("station-0", "9".to_owned())]);
        let few = Picks::of([some(3, 0), some(2, 0), some(1, 0)], &form, 2);
        assert!(few.lists.is_empty());
        let set = &few.steps[1][1];
        assert_eq!(set.field, "set-1");
        assert_eq!((set.list, set.options.len()), (None, 2));
        assert!(set.options[1].chosen && !few.steps[0][1].options[1].chosen);

        let many = Picks::of([some(100, 0), some(90, 0), some(20, 0)], &form, 2);
        let set = &many.steps[1][1];
        assert_eq!((set.list, set.options.len()), (Some("sets"), 0));
        assert_eq!((set.value.as_str(), set.name.as_str()), ("2", "No 2"));
        assert_eq!(many.lists[0].options.len(), 100);
        let more = Picks::of([some(1, 5), some(1, 0), some(1, 0)], &form, 1);
        assert_eq!(
            more.lists.len(),
            3,
            "there are some that no step could offer"
        );
    }
}
