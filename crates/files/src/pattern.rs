//! The pattern of a station that keys of photographs must match (`domain-rules.md` §3). What is
//! wrong with one is said in the words that the platform's users know, where they exist.

use regex::Regex;
use regex_syntax::ast::{ErrorKind, parse::Parser};

/// Bytes that a compiled pattern may take.
const LARGEST: usize = 1 << 20;

/// A pattern; it may match anywhere in a key.
#[derive(Clone, Debug)]
pub struct Pattern(Option<Regex>);

impl Pattern {
    /// Reads a pattern; an empty one matches all.
    ///
    /// # Errors
    /// A sentence that says what is wrong and where.
    pub fn new(text: &str) -> Result<Pattern, String> {
        if text.is_empty() {
            return Ok(Pattern(None));
        }
        if let Err(error) = Parser::new().parse(text) {
            let at = error.span().start.offset;
            let words = match error.kind() {
                ErrorKind::GroupUnclosed => "missing ), unterminated subpattern".to_owned(),
                ErrorKind::GroupUnopened => "unbalanced parenthesis".to_owned(),
                ErrorKind::ClassUnclosed => "unterminated character set".to_owned(),
                ErrorKind::RepetitionMissing => "nothing to repeat".to_owned(),
                other => other.to_string(),
            };
            return Err(format!("{words} at position {at}"));
        }
        let read = regex::RegexBuilder::new(text).size_limit(LARGEST).build();
        match read {
            Ok(regex) => Ok(Pattern(Some(regex))),
            Err(regex::Error::CompiledTooBig(_)) => Err("the pattern is too large".to_owned()),
            Err(_) => Err("the pattern cannot be read".to_owned()),
        }
    }

    /// Whether it matches somewhere in the key.
    pub fn finds(&self, key: &str) -> bool {
        self.0.as_ref().is_none_or(|regex| regex.is_match(key))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_searches_the_whole_key() {
        let pattern = Pattern::new(r"snapshot.*\.jpg").unwrap();
        assert!(pattern.finds("2022/a-snapshot-7.jpg.bak"));
        assert!(!pattern.finds("2022/a.jpg"));
        assert!(Pattern::new("").unwrap().finds("anything"));
    }

    #[test]
    fn what_is_wrong_is_said_in_known_words() {
        let words = |text| Pattern::new(text).unwrap_err();
        assert_eq!(
            words("("),
            "missing ), unterminated subpattern at position 0"
        );
        assert_eq!(words("a)"), "unbalanced parenthesis at position 1");
        assert_eq!(words("[a"), "unterminated character set at position 0");
        assert_eq!(words("*"), "nothing to repeat at position 0");
        assert_eq!(words("a{1000}{1000}{1000}"), "the pattern is too large");
    }
}
