//! Where a photograph lies and how a public address is made of it (`domain-rules.md` §14).
//! The idea: the store says where, the file layer makes the link, and neither knows the other.

/// Kind of a storage source: a folder of the server.
pub const LOCAL: &str = "local";
/// Kind of a storage source: an S3-compatible bucket.
pub const S3: &str = "s3";

/// The public base of photographs that the server itself keeps, because people uploaded them.
pub const KEPT: &str = "media:";

/// The folder of uploads among the files that the server keeps, with one for each station.
pub const UPLOADS: &str = "example_captures";
/// The folder of thumbnails, with one for each capture.
pub const THUMBNAILS: &str = "thumbnails";
/// The folder of crops.
pub const CROPS: &str = "crops";

/// The name of the folder of a capture's thumbnails.
pub fn thumbnails_of(capture: i64) -> String {
    format!("capture_{capture}")
}

/// The capture whose thumbnail has this name: `capture_<id>/<label>.jpg`, and its label.
pub fn of_thumbnail(name: &str) -> Option<(i64, &str)> {
    let (folder, file) = name.split_once('/')?;
    let capture = folder.strip_prefix("capture_")?.parse().ok()?;
    Some((capture, file.strip_suffix(".jpg")?))
}

/// Where the crop of a detection lies among the files that the server keeps.
pub fn crop_key(detection: i64) -> String {
    format!("{CROPS}/{}", crop_name(detection))
}

/// The detection whose crop has this name.
pub fn of_crop(name: &str) -> Option<i64> {
    let number = name.strip_prefix("detection_")?.strip_suffix(".jpg")?;
    number.parse().ok()
}

/// The name of a detection's crop in its link, and of its file below `crops/`.
pub fn crop_name(detection: i64) -> String {
    format!("detection_{detection}.jpg")
}

/// The place of a capture's photograph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file below the folder of a local storage source: served by a signed link.
    Folder {
        /// The storage source.
        source: i64,
        /// The folder.
        root: String,
        /// Path below it.
        key: String,
    },
    /// An object of a bucket that only its keys open: a signed link leads to it.
    Bucket {
        /// The storage source.
        source: i64,
        /// Its key.
        key: String,
    },
    /// A file that the server itself keeps.
    Kept {
        /// Its key.
        key: String,
        /// Whether anybody may see it: its project is no draft.
        open: bool,
    },
    /// Below a public address.
    Web {
        /// The full address.
        url: String,
    },
}

/// Scheme and rest of an address that browsers fetch from, with its host: of any other scheme one
/// might be a script, which a page would run for whoever follows its link.
fn web(base: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = base.split_once("://")?;
    let fetched = ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    (fetched && !rest.is_empty() && !rest.starts_with('/')).then_some((scheme, rest))
}

/// Whether photographs can have their public addresses below this one.
pub fn is_public_base(base: &str) -> bool {
    web(base).is_some()
}

/// Joins a public base address and a path as a browser would: the base keeps its last segment
/// only where it ends with a slash, the path's leading slash does not count. `None` where the
/// base has no host, or is nothing that browsers fetch from: an import may bring any text.
pub fn public_url(base: &str, path: &str) -> Option<String> {
    let (scheme, rest) = web(base)?;
    let host_end = rest.find('/').unwrap_or(rest.len());
    let (host, folder) = rest.split_at(host_end);
    let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = path.trim_start_matches('/');
    Some(format!("{scheme}://{host}{folder}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::{crop_name, is_public_base, of_crop, of_thumbnail, public_url, thumbnails_of};

    #[test]
    fn names_of_files_tell_whose_they_are() {
        assert_eq!(of_crop(&crop_name(12)), Some(12));
        for none in [
            "detection_.jpg",
            "detection_x.jpg",
            "detection_1.png",
            "1.jpg",
        ] {
            assert_eq!(of_crop(none), None, "{none}");
        }
        let name = format!("{}/small.jpg", thumbnails_of(7));
        assert_eq!(of_thumbnail(&name), Some((7, "small")));
        for none in [
            "capture_7",
            "capture_7/small.png",
            "capture_x/small.jpg",
            "7/a.jpg",
        ] {
            assert_eq!(of_thumbnail(none), None, "{none}");
        }
    }

    #[test]
    fn joins_as_a_browser_does() {
        let cases = [
            ("http://h/a/", "x/y.jpg", Some("http://h/a/x/y.jpg")),
            ("http://h/a", "/x.jpg", Some("http://h/x.jpg")),
            ("http://h:9000", "x.jpg", Some("http://h:9000/x.jpg")),
            ("https://h/a/b/", "/x.jpg", Some("https://h/a/b/x.jpg")),
            ("/media/", "x.jpg", None),
            ("", "x.jpg", None),
            ("http://", "x.jpg", None),
            ("http:///a/", "x.jpg", None),
            ("HTTPS://h/", "x.jpg", Some("HTTPS://h/x.jpg")),
        ];
        for (base, path, url) in cases {
            assert_eq!(public_url(base, path).as_deref(), url, "{base} {path}");
            assert_eq!(is_public_base(base), url.is_some(), "{base}");
        }
    }

    #[test]
    fn what_is_no_address_of_the_web_leads_nowhere() {
        for base in [
            "javascript://h/%0aalert(1)//",
            "JavaScript://h/",
            "data://text/html,<script>alert(1)</script>",
            "vbscript://h/",
            "file://h/etc/",
            "ftp://h/",
            " http://h/",
            "java\tscript://h/",
        ] {
            assert_eq!(public_url(base, "x.jpg"), None, "{base}");
            assert!(!is_public_base(base), "{base}");
        }
    }
}
