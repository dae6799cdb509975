use super::super::languages::Source;
use super::super::negotiation::{MAX_HEADER_ENTRIES, negotiate};
use super::super::{Lang, PSEUDO_TAG};
use super::source;

#[test]
fn chosen_language_wins_over_the_header() {
    static SOURCES: [Source; 4] = [
        source("en", ""),
        source("de", ""),
        source("pt-BR", ""),
        Source {
            is_pseudo: true,
            ..source(PSEUDO_TAG, "")
        },
    ];
    fn tag(chosen: Option<&str>, header: Option<&str>) -> &'static str {
        let Lang(index) = negotiate(&SOURCES, chosen, header);
        SOURCES[usize::from(index)].code
    }
    assert_eq!(tag(Some("de"), Some("en")), "de");
    assert_eq!(tag(Some("xx"), Some("de")), "de");
    assert_eq!(tag(None, None), "en");
    for (header, expected) in [
        ("de", "de"),
        ("DE-at", "de"),
        ("de-DE-1996", "de"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("fr, de;q=0.8, en;q=0.9", "en"),
        ("fr;q=1.0 , en ; q=0.5 , de; q=0.75", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=2", "en"),
        ("de;q=x", "en"),
        ("de;q", "en"),
        ("de;v=1", "en"),
        ("de;q=NaN", "en"),
        ("de;q=-1", "en"),
        ("de;q=1;q=1", "en"),
        (",,;;=,  ,de", "de"),
        ("*", "en"),
        ("", "en"),
        ("-", "en"),
        ("d\u{e9}", "en"),
        ("deu", "en"),
        ("qps-ploc", "qps-ploc"),
        ("qps-ploc-x", "en"),
        ("qps-PLOC", "en"),
        ("qps", "en"),
    ] {
        assert_eq!(tag(None, Some(header)), expected, "{header:?}");
    }
    let late = format!("{}de", "xx,".repeat(MAX_HEADER_ENTRIES));
    assert_eq!(tag(None, Some(&late)), "en");
    assert_eq!(tag(None, Some(&"é".repeat(1_000_000))), "en");
    assert_eq!(tag(None, Some(&"a-".repeat(1_000_000))), "en");
}
