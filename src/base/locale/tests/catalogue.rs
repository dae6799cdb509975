//! The files in `locales`.

use std::collections::BTreeSet;

use unic_langid::LanguageIdentifier;

use super::super::ftl::message_ids;
use super::super::languages::SOURCES;
use super::super::{Lang, problems};
use super::TEST_FTL;

#[test]
fn every_file_is_without_problems() {
    for source in &SOURCES {
        let problems = problems(source.ftl);
        assert!(problems.is_empty(), "{}.ftl: {problems:#?}", source.code);
        assert!(source.tag.parse::<LanguageIdentifier>().is_ok() || source.is_pseudo);
        assert!(matches!(source.dir, "ltr" | "rtl"));
    }
}

#[test]
fn every_translated_key_is_in_english() {
    let english: BTreeSet<_> = Lang::default().keys().collect();
    for source in &SOURCES {
        for (line, key) in message_ids(source.ftl) {
            assert!(english.contains(key), "{}.ftl:{line}: `{key}`", source.code);
        }
    }
}

/// The page takes them apart at each comma to name a day.
#[test]
fn every_language_names_seven_days_and_twelve_months() {
    for (place, source) in SOURCES.iter().enumerate() {
        let lang = Lang(u8::try_from(place).expect("few languages"));
        for (key, names) in [("weekdays", 7), ("months", 12)] {
            let named: BTreeSet<_> = lang.t(key).split(", ").collect();
            assert_eq!(named.len(), names, "{}.ftl: `{key}`", source.code);
        }
        for part in ["{weekday}", "{day}", "{month}"] {
            assert!(
                lang.t("day-name").contains(part) && lang.t("day-name-year").contains(part),
                "{}.ftl: {part}",
                source.code
            );
        }
        for part in ["{day}", "{month}", "{year}"] {
            assert!(
                lang.t("date").contains(part) && lang.t("day-name-year").contains(part),
                "{}.ftl: {part}",
                source.code
            );
        }
    }
}

#[test]
fn problems_are_found_with_their_line() {
    assert_eq!(problems(TEST_FTL), []);
    let lines = |ftl| {
        problems(ftl)
            .into_iter()
            .map(|(line, _)| line)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("good = yes\nbad { = no\nmore = yes\n"), [2]);
    assert_eq!(lines("a = 1\nb = 2\n\na = 3\n"), [4]);
    assert_eq!(lines("a = 1\nb = { missing }\n"), [2]);
    assert_eq!(lines("a = 1\nb = { -missing }\n"), [2]);
    assert_eq!(lines("a = { $x ->\n  [one] 1\n }\nb = 2\n").len(), 1);
    assert_eq!(lines("a = { b }\nb = { a }\n"), [1, 2]);
}
