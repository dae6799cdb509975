//! The content security policy, and the other headers that narrow what a browser lets a page do.
//! The policy of uploaded files is in `files/serve.rs`.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Inserts the headers that narrow what a browser lets a page do: no inline script or style,
/// nothing from other origins, no framing. With `https`, browsers also remember for a year to use
/// nothing else.
pub(super) fn insert_security_headers(headers: &mut HeaderMap, https: bool) {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
        img-src 'self' data: blob:; media-src 'self'; font-src 'self'; connect-src 'self'; \
        manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
    ] {
        // Uploaded files have a stricter policy of their own.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}
