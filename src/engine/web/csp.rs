//! The content security policy, and the other headers that narrow what a browser lets a page do.
//! The policy of uploaded files is in `files/serve.rs`.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Adds `Secure` where it is missing from a cookie whose name begins with `__Host-`: the session
/// layer leaves it out when it removes one, and browsers would ignore that.
fn complete_host_cookies(headers: &mut HeaderMap) {
    let cookies = headers
        .iter_mut()
        .filter(|(name, _)| *name == header::SET_COOKIE);
    for (_, cookie) in cookies {
        if let Ok(text) = cookie.to_str()
            && text.starts_with("__Host-")
            && !text.contains("; Secure")
            && let Ok(complete) = HeaderValue::try_from(format!("{text}; Secure"))
        {
            *cookie = complete;
        }
    }
}

/// Inserts the headers that narrow what a browser lets a page do: no inline script or style,
/// nothing from other origins, no framing. With `https`, browsers also remember for a year to use
/// nothing else.
pub(super) fn insert_security_headers(headers: &mut HeaderMap, https: bool) {
    // WebAssembly removes noise in voice; it comes from our own files, as connect-src says.
    const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
        style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; \
        connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
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
            "camera=(self), display-capture=(self), geolocation=(), microphone=(self), payment=()",
        ),
    ] {
        // Uploaded files have a stricter policy of their own.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if https {
        complete_host_cookies(headers);
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}
