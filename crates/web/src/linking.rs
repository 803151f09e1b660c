//! Links from lines of logs to traces, as New Relic reads them: at the end of a line,
//! `NR-LINKING|entity|host|trace|span|name|`. The trace is the one in which the line was written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use store::origin::Trace;

/// Everything but letters, digits and what is harmless everywhere.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// To whom lines are linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linking {
    entity: String,
    host: String,
    name: String,
}

impl Linking {
    /// Links to the entity with this GUID and name, from this host.
    pub fn new(entity: &str, host: &str, name: &str) -> Linking {
        Linking {
            entity: entity.to_owned(),
            host: host.to_owned(),
            name: utf8_percent_encode(name, ENCODED).to_string(),
        }
    }

    /// The end of a line. What was written without a trace has none.
    pub fn end(&self, trace: Option<&Trace>) -> String {
        let (trace, span) = match trace {
            Some(trace) => (trace.trace_id.as_str(), trace.span_id.as_str()),
            None => ("", ""),
        };
        let Linking { entity, host, name } = self;
        format!("NR-LINKING|{entity}|{host}|{trace}|{span}|{name}|")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        let linking = Linking::new("MzE|x", "worker-1", "Antenna (staging) ä");
        let trace = Trace {
            trace_id: "4bf9".to_owned(),
            span_id: "00f0".to_owned(),
        };
        assert_eq!(
            linking.end(Some(&trace)),
            "NR-LINKING|MzE|x|worker-1|4bf9|00f0|Antenna%20%28staging%29%20%C3%A4|"
        );
        assert!(linking.end(None).contains("|worker-1|||Antenna"));
    }
}
