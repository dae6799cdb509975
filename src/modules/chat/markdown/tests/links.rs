//! Links and images, and where they may lead.

use super::check;

#[test]
fn links_get_rel_and_text() {
    let rel = "rel=\"nofollow noopener noreferrer\"";
    for (source, href, name) in [
        (
            "https://a.example/x?y=1",
            "https://a.example/x?y=1",
            "https://a.example/x?y=1",
        ),
        ("www.a.example", "http://www.a.example", "www.a.example"),
        ("me@a.example", "mailto:me@a.example", "me@a.example"),
        ("[t](HTTPS://a.example \"title\")", "HTTPS://a.example", "t"),
        (
            "[](https://a.example)",
            "https://a.example",
            "https://a.example",
        ),
        (
            "[\u{200b} ](https://a.example)",
            "https://a.example",
            "\u{200b} https://a.example",
        ),
        (
            "![alt](https://a.example/i.png)",
            "https://a.example/i.png",
            "alt",
        ),
        (
            "![](https://a.example/i.png)",
            "https://a.example/i.png",
            "https://a.example/i.png",
        ),
        (
            "[![alt](https://b.example/i.png)](https://a.example)",
            "https://a.example",
            "alt",
        ),
        (
            "[a](https://a.example/\"<x>)",
            "https://a.example/%22%3Cx%3E",
            "a",
        ),
    ] {
        let expected = format!("<p><a href=\"{href}\" {rel}>{name}</a></p>\n");
        assert_eq!(check(source), expected, "{source:?}");
    }
}

#[test]
fn links_elsewhere_become_text() {
    for (source, html) in [
        ("[t](/rooms/1)", "<p>t</p>\n"),
        ("[t](javascript:alert(1))", "<p>t</p>\n"),
        ("[t]()", "<p>t</p>\n"),
        (
            "![](data:image/png;base64,AA)",
            "<p>data:image/png;base64,AA</p>\n",
        ),
        ("[**t**](//evil.example)", "<p><strong>t</strong></p>\n"),
        ("[t](https://)", "<p>t</p>\n"),
    ] {
        assert_eq!(check(source), html, "{source:?}");
    }
}

#[test]
fn link_without_scheme_and_host_becomes_text() {
    for url in [
        "http:/account",
        "HTTP:/account",
        "https:/account",
        "http:account",
        "http:",
        "http:///account",
        "http://",
        "http://?x",
        "http://#x",
        r"https:\\account",
        r"http:\\\\account",
        r"http:/\\account",
        r"http://\\account",
        r"https://good.example\\@evil.example",
        "//host",
        r"\\\\host",
        r"/\\host",
        "http&#58;/account",
        "http:/&Tab;/account",
        "http:&NewLine;/account",
        "ht&Tab;tp://a.example",
        "java&Tab;script:alert(1)",
        "javascript&colon;alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#1;javascript:alert(1)",
        "vbscript:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://a.example/x",
        "?next=/account",
        "#top",
    ] {
        let html = check(&format!("[t]({url})"));
        assert!(!html.contains("<a"), "{url:?}: {html}");
        let html = check(&format!("[t](<{url}>)"));
        assert!(!html.contains("<a"), "<{url:?}>: {html}");
    }
}

#[test]
fn absolute_links_with_port_query_or_foreign_letters_are_kept() {
    for url in [
        "http://a.example",
        "https://a.example:8443/x?y=/z#top",
        "https://[2001:db8::1]/x",
        "https://bücher.example/ä",
        r"https://a.example/x\\y",
        "mailto:me@a.example?subject=hi",
    ] {
        let html = check(&format!("[t]({url})"));
        assert!(html.contains("<a href"), "{url:?}: {html}");
    }
}
