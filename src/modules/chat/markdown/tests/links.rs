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

/// The addresses that a text links to, and the HTML after the first.
fn addresses(source: &str) -> Vec<String> {
    let html = check(source);
    let links = html.split("<a href=\"").skip(1);
    let address = |link: &str| link.split('"').next().unwrap_or_default().to_owned();
    links.map(address).collect()
}

#[test]
fn bare_address_ends_before_punctuation_of_any_script() {
    for end in [
        "。", "，", "、", "！", "？", "；", "：", "）", "」", "』", "】", "》", "〉", "〕", "”",
        "’", "»", "…", "（", "「", "“", "｡", "､", "～", "・", "\u{3000}", "،", "؛", "؟", "۔", "׃",
        "।", "።", "။", "\u{200f}", "\u{2069}", "\u{a0}", "\u{200b}", "\"", ">",
    ] {
        let source = format!("见 https://a.example/x?y=1{end}然后**好**。");
        assert_eq!(addresses(&source), ["https://a.example/x?y=1"], "{end:?}");
        assert!(check(&source).contains("<strong>好</strong>"), "{end:?}");
        let source = format!("www.a.example/x{end}www");
        assert_eq!(addresses(&source), ["http://www.a.example/x"], "{end:?}");
    }
}

#[test]
fn bare_address_ends_before_a_bracket_that_is_not_its_own() {
    for (source, address) in [
        ("(https://a.example/x)", "https://a.example/x"),
        ("(see https://a.example/x), then", "https://a.example/x"),
        ("(https://a.example/x)then", "https://a.example/x"),
        ("[https://a.example/x]", "https://a.example/x"),
        ("[see https://a.example/x], then", "https://a.example/x"),
        ("{https://a.example/x}", "https://a.example/x"),
        ("https://a.example/x_(y)", "https://a.example/x_(y)"),
        ("(https://a.example/x_(y))", "https://a.example/x_(y)"),
        ("(ראו https://a.example/x).", "https://a.example/x"),
        ("(انظر https://a.example/x)، ثم", "https://a.example/x"),
        ("（https://a.example/x）", "https://a.example/x"),
        ("「https://a.example/x」", "https://a.example/x"),
        ("**https://a.example/x**", "https://a.example/x"),
        ("https://a.example/x.」", "https://a.example/x"),
        (
            "https://a.example/路径/é–b",
            "https://a.example/%E8%B7%AF%E5%BE%84/%C3%A9%E2%80%93b",
        ),
        ("https://bücher.example/", "https://b%C3%BCcher.example/"),
    ] {
        assert_eq!(addresses(source), [address], "{source}");
    }
    assert_eq!(
        addresses("https://a.example，https://b.example。www.c.example"),
        ["https://a.example", "https://b.example"]
    );
}

#[test]
fn bare_address_ends_before_the_bars_of_a_spoiler() {
    for (source, address) in [
        ("||https://a.example/x||", "https://a.example/x"),
        (
            "||见 https://a.example/x?y=1|| then",
            "https://a.example/x?y=1",
        ),
        ("||see www.a.example||then", "http://www.a.example"),
        ("https://a.example/x||it was ann||", "https://a.example/x"),
    ] {
        assert_eq!(addresses(source), [address], "{source}");
        let html = check(source);
        assert!(
            html.contains("class=\"spoiler\"") && !html.contains("||"),
            "{html}"
        );
        assert!(!html.contains('\u{fdd0}'), "{html:?}");
    }
    for code in ["`https://a.example/||`", "```\nhttps://a.example/||\n```"] {
        let html = check(code);
        assert!(html.contains("https://a.example/||"), "{html}");
    }
    assert_eq!(
        addresses("https://a.example/x|y"),
        ["https://a.example/x%7Cy"]
    );
}

#[test]
fn written_destinations_are_not_cut() {
    for (source, address) in [
        (
            "[a](https://a.example/x。y)",
            "https://a.example/x%E3%80%82y",
        ),
        (
            "[a](<https://a.example/x）>)",
            "https://a.example/x%EF%BC%89",
        ),
        ("<https://a.example/x。y>", "https://a.example/x%E3%80%82y"),
        (
            "[a]\n\n[a]: https://a.example/x。",
            "https://a.example/x%E3%80%82",
        ),
        (
            "[https://a.example/x](https://b.example)",
            "https://b.example",
        ),
    ] {
        assert_eq!(addresses(source), [address], "{source}");
    }
    assert_eq!(
        check("`https://a.example。b`\n\n    https://a.example。c"),
        "<p><code>https://a.example。b</code></p>\n<pre><code>https://a.example。c\n</code></pre>\n"
    );
}

#[test]
fn words_with_colons_and_slashes_are_no_links() {
    for source in ["foo://bar", "www.", "www.x", "www", "http://", "std://x"] {
        assert!(addresses(source).is_empty(), "{source}: {}", check(source));
        assert!(check(source).contains(source), "{}", check(source));
    }
}
