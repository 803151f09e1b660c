//! What tests leave out on a machine that lacks something. The idea: it is said, and where
//! [`REQUIRE`] is set it is a failure, so that nowhere a test passes that has not run.

use std::collections::BTreeSet;
use std::sync::Mutex;

/// The variable that, set to 1, makes a skip a failure.
pub const REQUIRE: &str = "HAWKMOTH_TEST_REQUIRE_SERVICES";

/// Says once what is left out, and why.
///
/// # Panics
/// Where [`REQUIRE`] is 1.
pub fn left_out(what: &str) {
    say(what, std::env::var(REQUIRE).is_ok_and(|value| value == "1"));
}

fn say(what: &str, required: bool) {
    assert!(!required, "{what}; {REQUIRE}=1 allows no skip");
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut said = SAID.lock().unwrap_or_else(|e| e.into_inner());
    if said.insert(what.to_owned()) {
        eprintln!("*** {what} ***");
    }
}

#[cfg(test)]
mod tests {
    use super::say;

    #[test]
    fn a_skip_is_said_where_it_is_allowed() {
        say("nothing is tested", false);
    }

    #[test]
    #[should_panic = "nothing is tested; HAWKMOTH_TEST_REQUIRE_SERVICES=1 allows no skip"]
    fn a_skip_is_a_failure_where_services_are_required() {
        say("nothing is tested", true);
    }
}
