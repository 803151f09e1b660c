//! How long and how often an image is handed out to remote workers. The idea: the program has
//! its own numbers, and a project may set others for a pipeline in that pipeline's settings,
//! because a slow model needs more time than a fast one.

use serde_json::{Map, Value};

/// Key of a pipeline's setting: seconds that a worker may keep an image without a word.
pub const LEASE_SECONDS: &str = "lease_seconds";
/// Key of a pipeline's setting: how often an image is handed out at most.
pub const MAX_DELIVERIES: &str = "max_deliveries";

/// Longest lease, in seconds: a day.
const LONGEST: u32 = 86_400;
/// Most deliveries of one image.
const MOST: i32 = 100;

/// The terms on which images are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTerms {
    /// Seconds until an image without an answer is handed out again.
    pub seconds: u32,
    /// How often an image is handed out before it counts as failed.
    pub deliveries: i32,
}

impl Default for LeaseTerms {
    /// As the platform's queue is set: 300 seconds, two deliveries (`processing-service.md` §8).
    fn default() -> LeaseTerms {
        LeaseTerms {
            seconds: 300,
            deliveries: 2,
        }
    }
}

impl LeaseTerms {
    /// These terms with what a pipeline's settings say otherwise. A setting that is no sound
    /// number says nothing.
    #[must_use]
    pub fn overlaid(self, config: &Map<String, Value>) -> LeaseTerms {
        let number = |key: &str| config.get(key).and_then(Value::as_u64).filter(|n| *n > 0);
        let seconds = number(LEASE_SECONDS).map(|n| u32::try_from(n).unwrap_or(LONGEST));
        let deliveries = number(MAX_DELIVERIES).map(|n| i32::try_from(n).unwrap_or(MOST));
        LeaseTerms {
            seconds: seconds.unwrap_or(self.seconds).min(LONGEST),
            deliveries: deliveries.unwrap_or(self.deliveries).min(MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(config: Value) -> LeaseTerms {
        LeaseTerms::default().overlaid(config.as_object().unwrap_or(&Map::new()))
    }

    #[test]
    fn a_pipelines_settings_win_where_they_are_sound() {
        let terms = |seconds, deliveries| LeaseTerms {
            seconds,
            deliveries,
        };
        assert_eq!(with(json!({})), terms(300, 2));
        assert_eq!(with(json!({"lease_seconds": 20})), terms(20, 2));
        assert_eq!(with(json!({"max_deliveries": 5, "x": 1})), terms(300, 5));
        for bad in [json!(0), json!(-1), json!("9"), json!(null), json!(1.5)] {
            let config = json!({"lease_seconds": bad, "max_deliveries": bad});
            assert_eq!(with(config), terms(300, 2));
        }
        let huge = json!({"lease_seconds": u64::MAX, "max_deliveries": u64::MAX});
        assert_eq!(with(huge), terms(86_400, 100));
    }
}
