//! Names of the devices that an account is signed in on, as far as their `User-Agent` header tells.

use crate::base::locale::Lang;

/// Browsers by a product token of theirs. Each also names those after it, so the order matters.
const BROWSERS: [(&str, &str); 14] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
];

/// Systems by a word of the header. Android also says Linux, and an iPhone also says Mac OS X.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// The name of a device: `Firefox on Linux`, or what is known of it. A program that is no browser
/// has its own name, such as `curl`.
pub(super) fn device_name(user_agent: &str, lang: Lang) -> String {
    let find = |list: &[(&str, &'static str)]| {
        let known = list.iter().find(|(token, _)| user_agent.contains(token));
        known.map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => lang.with(
            "session-device",
            &[("browser", browser.into()), ("system", system.into())],
        ),
        (Some(known), None) | (None, Some(known)) => known.to_owned(),
        (None, None) => match product(user_agent) {
            "" | "Mozilla" => lang.t("session-unknown").to_owned(),
            product => product.to_owned(),
        },
    }
}

/// The name of the first product of the header, without its version.
fn product(user_agent: &str) -> &str {
    user_agent.split(['/', ' ', '(']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_the_names_people_know() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/148.0.0.0 Safari/537.36 Edg/148.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/148.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like \
                 Gecko) Version/18.5 Safari/605.1.15",
                "Safari on Mac",
            ),
            ("curl/8.14.1", "curl"),
            ("Mozilla/5.0 (Haiku)", "Unknown device"),
            ("", "Unknown device"),
        ] {
            assert_eq!(device_name(user_agent, Lang::default()), name);
        }
    }
}
