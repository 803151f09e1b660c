//! The cookies of pages: one that says in which browser somebody is signed in, and one that ties
//! the sign-in form to the browser that asked for it. Both are sealed with the server's key, so
//! that made-up ones are dropped before the database is asked.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use files::Links;

/// Name of the cookie of a signed-in browser.
pub const SESSION: &str = "hawkmoth_session";
/// Name of the cookie of a browser that has seen a form.
pub const VISITOR: &str = "hawkmoth_visitor";

/// The values of cookies of this name.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pairs = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.filter_map(move |(found, value)| (found == name).then_some(value))
}

/// What stands in a cookie that scripts set, and that anybody may make up.
pub fn plain<'a>(headers: &'a HeaderMap, name: &'a str) -> Option<&'a str> {
    values(headers, name).next()
}

/// The secret in a cookie of this name, where its seal holds.
pub fn read(headers: &HeaderMap, links: &Links, name: &str) -> Option<String> {
    for value in values(headers, name) {
        if let Some((secret, seal)) = value.split_once('.')
            && links.sealer().holds(name, secret, seal)
        {
            return Some(secret.to_owned());
        }
    }
    None
}

/// The header that sets a cookie for so many seconds; zero takes it away.
pub fn set(links: &Links, name: &str, secret: &str, seconds: i64) -> HeaderValue {
    let seal = links.sealer().seal(name, secret);
    let value = match seconds {
        0 => String::new(),
        _ => format!("{secret}.{seal}"),
    };
    // Over plain HTTP a browser would not send a secure cookie back.
    let secure = if links.public_url().starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use files::Signer;

    fn links(url: &str) -> Links {
        Links::new(Signer::new([1; 32], "/media"), url)
    }

    fn sent(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn only_sealed_cookies_of_that_name_are_read() {
        let links = links("http://x");
        let header = set(&links, SESSION, "abc", 60);
        let text = header.to_str().unwrap();
        assert!(text.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"));
        let pair = text.split(';').next().unwrap();
        let read = |text: &str, name| read(&sent(text), &links, name);
        assert_eq!(read(pair, SESSION).as_deref(), Some("abc"));
        let among = format!("a=b; {SESSION}=x.00; {pair}; c");
        assert_eq!(read(&among, SESSION).as_deref(), Some("abc"));
        assert_eq!(read(pair, VISITOR), None);
        let renamed = pair.replace(SESSION, VISITOR);
        assert_eq!(read(&renamed, VISITOR), None);
        assert_eq!(read(&pair.replace("abc", "abd"), SESSION), None);
        assert_eq!(read(&format!("{SESSION}=abc"), SESSION), None);
    }

    #[test]
    fn cookies_are_secure_where_the_server_is() {
        let secure = set(&links("https://x"), SESSION, "abc", 60);
        assert!(secure.to_str().unwrap().ends_with("; Secure"));
        let gone = set(&links("https://x"), SESSION, "", 0);
        assert!(gone.to_str().unwrap().starts_with("hawkmoth_session=; "));
    }
}
