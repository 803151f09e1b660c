//! Which representation of an answer the caller wants: JSON for programs, a page to browse for
//! people (`browsable-api.md` §1). Chosen by `?format=`, the suffix of the address, then `Accept`.

use crate::error::{ApiError, ApiResult};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    /// `application/json`, known as `json`.
    Json,
    /// `text/html`, known as `api`.
    Browsable,
}

impl Representation {
    /// In the order in which they are offered.
    const ALL: [Representation; 2] = [Representation::Json, Representation::Browsable];

    /// The name in `?format=` and in suffixes.
    pub fn format(self) -> &'static str {
        match self {
            Representation::Json => "json",
            Representation::Browsable => "api",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Representation::Json => "application/json",
            Representation::Browsable => "text/html",
        }
    }
}

/// Chooses. A format that was named must suit the `Accept` header too.
///
/// # Errors
/// 404 for a format that is not known, 406 where the header allows none that is offered.
pub fn negotiate(
    format: Option<&str>,
    suffix: Option<&str>,
    accept: Option<&str>,
) -> ApiResult<Representation> {
    let named = format.filter(|f| !f.is_empty()).or(suffix);
    let is_offered = |r: &Representation| named.is_none_or(|name| name == r.format());
    let offered: Vec<Representation> = Representation::ALL.into_iter().filter(is_offered).collect();
    if offered.is_empty() {
        return Err(ApiError::NotFound);
    }
    let types: Vec<&str> = offered.iter().map(|r| r.media_type()).collect();
    let chosen = choose(&types, accept).and_then(|place| offered.get(place));
    chosen.copied().ok_or(ApiError::NotAcceptable)
}

/// Which of the media types suits an `Accept` header best, by its place; `None` where none does.
pub fn choose(offered: &[&str], accept: Option<&str>) -> Option<usize> {
    let mut ranges: Vec<Range> = ranges(accept).collect();
    // The most exact first; weights ("q=") do not count, as in the reference.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.exactness()));
    let mut groups = ranges.chunk_by(|a, b| a.exactness() == b.exactness());
    groups.find_map(|exact| {
        let wanted = |kind: &&str| exact.iter().any(|range| range.holds(kind));
        offered.iter().position(wanted)
    })
}

/// By how many spaces JSON is to be indented: `Accept: application/json; indent=4`.
pub fn indent(accept: Option<&str>) -> Option<usize> {
    let json = ranges(accept).find(|range| range.kind == "application" && range.sub == "json")?;
    let value = json
        .parameters
        .iter()
        .find_map(|p| p.strip_prefix("indent="))?;
    value.parse().ok().map(|spaces: usize| spaces.min(8))
}

/// One range of media types in an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    sub: &'a str,
    parameters: Vec<&'a str>,
}

fn ranges(accept: Option<&str>) -> impl Iterator<Item = Range<'_>> {
    let accept = accept.unwrap_or("*/*");
    accept.split(',').map(|text| {
        let mut parts = text.split(';').map(str::trim);
        let full = parts.next().unwrap_or_default();
        let (kind, sub) = full.split_once('/').unwrap_or((full, ""));
        Range {
            kind,
            sub,
            parameters: parts.collect(),
        }
    })
}

impl Range<'_> {
    fn exactness(&self) -> u8 {
        match (self.kind, self.sub) {
            ("*", _) => 0,
            (_, "*") => 1,
            _ if self.parameters.iter().all(|p| p.starts_with("q=")) => 2,
            _ => 3,
        }
    }

    fn holds(&self, media_type: &str) -> bool {
        let (kind, sub) = media_type.split_once('/').unwrap_or((media_type, ""));
        let fits = |ours: &str, theirs: &str| theirs == "*" || theirs.eq_ignore_ascii_case(ours);
        fits(kind, self.kind) && fits(sub, self.sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    fn chosen(format: &str, suffix: &str, accept: &str) -> Result<&'static str, u16> {
        let option = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        negotiate(
            Some(format),
            option(suffix).as_deref(),
            option(accept).as_deref(),
        )
        .map(Representation::format)
        .map_err(|error| error.status().as_u16())
    }

    #[test]
    fn choices_are_those_of_the_recordings() {
        for (format, suffix, accept, expected) in [
            ("", "", "", Ok("json")),
            ("", "", "*/*", Ok("json")),
            ("", "", "application/json", Ok("json")),
            ("", "", "application/json; indent=4", Ok("json")),
            ("", "", "application/*", Ok("json")),
            ("", "", "text/html", Ok("api")),
            ("", "", "text/*, */*", Ok("api")),
            ("", "", BROWSER, Ok("api")),
            ("", "", "text/html, application/json", Ok("json")),
            ("", "", "application/xml", Err(406)),
            ("", "", "text/plain", Err(406)),
            ("", "", "nonsense", Err(406)),
            ("json", "", BROWSER, Ok("json")),
            ("json", "", "text/html", Err(406)),
            ("api", "", BROWSER, Ok("api")),
            ("api", "", "application/json", Err(406)),
            ("", "json", BROWSER, Ok("json")),
            ("", "api", "*/*", Ok("api")),
            ("bogus", "", "application/json", Err(404)),
            ("", "xml", "*/*", Err(404)),
            ("api", "json", "*/*", Ok("api")),
        ] {
            let got = chosen(format, suffix, accept);
            assert_eq!(got, expected, "format={format} suffix={suffix} {accept}");
        }
        assert_eq!(
            negotiate(None, None, None).map(Representation::format).ok(),
            Some("json")
        );
    }

    #[test]
    fn json_can_be_indented() {
        assert_eq!(indent(Some("application/json; indent=4")), Some(4));
        assert_eq!(
            indent(Some("text/html, application/json;indent=99")),
            Some(8)
        );
        for none in [
            None,
            Some("application/json"),
            Some("application/json; indent=x"),
        ] {
            assert_eq!(indent(none), None);
        }
    }
}
