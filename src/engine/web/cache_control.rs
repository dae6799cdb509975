//! `Cache-Control` of every response. Handlers say what may be cached; here it is completed.

use axum::http::{HeaderMap, HeaderValue, header};

/// Inserts what a response lacks: `no-store` where its handler said nothing, because it may be for
/// one reader. A response that sets a cookie, as any may that renews a session, is no longer for
/// shared caches: they would hand the cookie to others.
pub(super) fn complete_cache_control(headers: &mut HeaderMap) {
    let completed = match headers.get(header::CACHE_CONTROL) {
        None => "no-store",
        Some(given) if headers.contains_key(header::SET_COOKIE) && !is_private(given) => {
            "private, no-cache"
        }
        Some(_) => return,
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(completed));
}

fn is_private(cache_control: &HeaderValue) -> bool {
    let mut directives = cache_control.as_bytes().split(|byte| *byte == b',');
    directives.any(|directive| matches!(directive.trim_ascii(), b"private" | b"no-store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(given: Option<&str>, cookie: bool) -> String {
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(header::CACHE_CONTROL, given.parse().unwrap());
        }
        if cookie {
            headers.insert(header::SET_COOKIE, HeaderValue::from_static("a=b"));
        }
        complete_cache_control(&mut headers);
        headers[header::CACHE_CONTROL].to_str().unwrap().to_owned()
    }

    #[test]
    fn missing_is_no_store_and_cookies_are_private() {
        let (public, private) = ("public, max-age=60", "private, max-age=60");
        for (given, cookie, expected) in [
            (None, false, "no-store"),
            (None, true, "no-store"),
            (Some(public), false, public),
            (Some(public), true, "private, no-cache"),
            (Some("max-age=60"), true, "private, no-cache"),
            (Some(private), true, private),
            (Some("no-store"), true, "no-store"),
        ] {
            assert_eq!(completed(given, cookie), expected, "{given:?} {cookie}");
        }
    }
}
