//! Addresses that take forms alone, asked for as pages: somebody loads one anew, follows a link of
//! the page that a refused form showed there, or comes back to it after signing in. The idea: each
//! lies below the page that its form stands on, so that page is shown.

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use rest::ApiError;

use super::top::Top;
use super::{PageError, ROUTES, said};

/// Answers for an address of a page what is not asked for as it should be.
///
/// # Errors
/// 405 where a change is asked for.
pub async fn instead(request: Request) -> Result<Response, PageError> {
    let (method, uri) = (request.method(), request.uri());
    let root = Top::root();
    let reads = [Method::GET, Method::HEAD].contains(method);
    let page = uri.path().strip_prefix(root).and_then(above);
    match page.filter(|_| reads) {
        Some(page) => {
            let query = uri.query().map(|query| format!("?{query}"));
            let query = query.unwrap_or_default();
            Ok(said::on_to(&format!("{root}{page}{query}")))
        }
        None => Err(ApiError::MethodNotAllowed(method.to_string(), "").into()),
    }
}

/// The nearest address above this one that a page has. It may take forms alone as well.
fn above(path: &str) -> Option<&str> {
    let mut path = path;
    while let Some((folder, _)) = path.rsplit_once('/') {
        let mut patterns = ROUTES.iter().copied().flatten();
        if patterns.any(|(pattern, _)| fits(pattern, folder)) {
            return Some(folder);
        }
        path = folder;
    }
    None
}

fn fits(pattern: &str, path: &str) -> bool {
    let (wanted, found) = (pattern.split('/'), path.split('/'));
    let same = |(wanted, found): (&str, &str)| wanted.starts_with('{') || wanted == found;
    wanted.clone().count() == found.clone().count() && wanted.zip(found).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_forms_lies_below_its_page() {
        for (path, page) in [
            ("/projects/1/jobs/7/act", "/projects/1/jobs/7"),
            ("/projects/1/jobs/bulk", "/projects/1/jobs"),
            ("/projects/1/people/3/role", "/projects/1/people"),
            ("/me/tokens/3/end", "/me/tokens"),
            ("/me/tokens", "/me"),
            ("/server/users/3/lock", "/server/users"),
        ] {
            assert_eq!(above(path), Some(page), "{path}");
        }
        assert_eq!(above("/me"), None);
        assert_eq!(above("/"), None);
    }
}
