//! Content codings: how a body is compressed on its way.

use axum::http::{HeaderMap, HeaderValue, header};

/// A content coding that bodies are sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// The smallest that the client accepts (`Accept-Encoding`, RFC 9110, section 12.5.3).
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let accepts = |name: &str| {
            headers
                .get_all(header::ACCEPT_ENCODING)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|list| list.split(','))
                .any(|one| {
                    let mut parameters = one.split(';');
                    let is_listed = parameters
                        .next()
                        .is_some_and(|coding| coding.trim().eq_ignore_ascii_case(name));
                    is_listed
                        && !parameters.any(|weight| {
                            weight
                                .trim()
                                .strip_prefix("q=")
                                .is_some_and(|q| q.parse() == Ok(0.0))
                        })
                })
        };
        match () {
            () if accepts("br") => Self::Brotli,
            () if accepts("gzip") => Self::Gzip,
            () => Self::Identity,
        }
    }

    /// The value of `Content-Encoding`; none for `Identity`.
    pub(super) fn name(self) -> Option<HeaderValue> {
        match self {
            Self::Brotli => Some(HeaderValue::from_static("br")),
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Identity => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coding_is_the_smallest_that_is_accepted() {
        for (accepts, coding) in [
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip;q=1.0, br;q=0", Coding::Gzip),
            ("GZIP", Coding::Gzip),
            ("deflate", Coding::Identity),
            ("", Coding::Identity),
        ] {
            let headers = HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(accepts),
            )]);
            assert_eq!(Coding::from_headers(&headers), coding, "{accepts}");
        }
        assert_eq!(Coding::from_headers(&HeaderMap::new()), Coding::Identity);
    }
}
