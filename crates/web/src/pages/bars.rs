//! Bars of a plot, drawn by the server: an SVG whose figures also stand in a sentence and in a
//! table, for those who cannot see it. The idea: whoever plots hands over names and numbers.

use super::columns::grouped;

/// Width of one bar with the space around it, in the units of the SVG.
const STEP: usize = 10;
/// Height of the plot in the same units.
const HEIGHT: i64 = 100;

/// A number with its name, and where it leads to.
pub type Number = (String, i64, Option<String>);

/// A bar.
pub struct Bar {
    /// What it stands for.
    pub name: String,
    /// How much it is, as it is read.
    pub words: String,
    /// Where it leads to.
    pub href: Option<String>,
    pub x: usize,
    pub y: i64,
    pub height: i64,
}

/// A plot.
pub struct Bars {
    /// What is counted.
    pub title: &'static str,
    /// Over what: a heading of the table's first column.
    pub over: &'static str,
    /// The plot in a sentence.
    pub words: String,
    pub all: Vec<Bar>,
    pub width: usize,
    /// Names under its left end, its middle and its right end.
    pub ticks: Vec<String>,
    /// Whether its bars lead somewhere.
    pub linked: bool,
}

impl Bars {
    /// A plot of numbers by name, each with where it leads; none where there is nothing to plot.
    pub fn of(title: &'static str, over: &'static str, numbers: Vec<Number>) -> Option<Bars> {
        Bars::worded(title, over, numbers, |number| {
            grouped(number.unsigned_abs())
        })
    }

    /// The same of numbers that are tenths: a 7 is read as 0.7, and all as whole ones where all are.
    pub fn of_tenths(
        title: &'static str,
        over: &'static str,
        numbers: Vec<Number>,
    ) -> Option<Bars> {
        let whole = numbers.iter().all(|bar| bar.1 % 10 == 0);
        Bars::worded(title, over, numbers, |number| {
            let tenths = number.unsigned_abs();
            match whole {
                true => grouped(tenths / 10),
                false => format!("{}.{}", grouped(tenths / 10), tenths % 10),
            }
        })
    }

    fn worded(
        title: &'static str,
        over: &'static str,
        numbers: Vec<Number>,
        words: impl Fn(i64) -> String,
    ) -> Option<Bars> {
        let most = numbers.iter().map(|bar| bar.1).max().unwrap_or(0);
        if most <= 0 {
            return None;
        }
        let at = numbers.iter().find(|bar| bar.1 == most);
        let at = at.map_or(String::new(), |bar| bar.0.clone());
        let ticks = match numbers.len() {
            0..=2 => numbers.iter().map(|bar| bar.0.clone()).collect(),
            count => [0, count / 2, count - 1]
                .map(|place| numbers[place].0.clone())
                .to_vec(),
        };
        let linked = numbers.iter().any(|bar| bar.2.is_some());
        let bar = |(place, (name, number, href)): (usize, (String, i64, Option<String>))| {
            // What is there can be seen, however little it is.
            let height = number.max(0) * HEIGHT / most;
            let height = if number > 0 { height.max(1) } else { 0 };
            Bar {
                words: words(number),
                name,
                href,
                x: place * STEP,
                y: HEIGHT - height,
                height,
            }
        };
        let all: Vec<Bar> = numbers.into_iter().enumerate().map(bar).collect();
        Some(Bars {
            title,
            over,
            words: format!("at most {}, {at}", words(most)),
            width: all.len() * STEP,
            all,
            ticks,
            linked,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plot(numbers: &[i64]) -> Option<Bars> {
        let named = numbers.iter().enumerate();
        let named = named.map(|(place, number)| (format!("n{place}"), *number, None));
        Bars::of("Captures", "Night", named.collect())
    }

    #[test]
    fn bars_stand_on_the_ground_and_fill_the_frame() {
        assert!(plot(&[]).is_none());
        assert!(plot(&[0, 0]).is_none());
        let bars = plot(&[1, 0, 2000]).unwrap();
        assert_eq!(bars.words, "at most 2,000, n2");
        assert_eq!(bars.ticks, ["n0", "n1", "n2"]);
        let heights: Vec<i64> = bars.all.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [1, 0, 100]);
        assert!(bars.all.iter().all(|bar| bar.y + bar.height == HEIGHT));
        assert_eq!(bars.width, 30);
        assert_eq!(plot(&[i64::MAX / 200]).unwrap().all[0].height, 100);
    }

    #[test]
    fn tenths_are_read_with_a_point() {
        let numbers = [("21:00", 4), ("22:00", 12_345)];
        let numbers = numbers.map(|(name, number)| (name.to_owned(), number, None));
        let bars = Bars::of_tenths("Detections", "Hour", numbers.to_vec()).unwrap();
        assert_eq!(bars.all[0].words, "0.4");
        assert_eq!(bars.words, "at most 1,234.5, 22:00");

        let whole = [("21:00", 40, None), ("22:00", 1260, None)];
        let whole = whole.map(|(name, number, href)| (name.to_owned(), number, href));
        let bars = Bars::of_tenths("Detections", "Hour", whole.to_vec()).unwrap();
        assert_eq!(bars.words, "at most 126, 22:00");
    }
}
