use super::super::table::{Table, load_all};
use super::super::{Lang, PSEUDO_TAG, Value};
use super::{TEST_FTL, fixed, formatted, source};

#[test]
fn broken_file_keeps_its_good_messages() {
    let table = Table::load(&source(
        "en",
        "good = yes\nbad { = no\nmore = too\nmore = 2\n",
    ));
    assert_eq!(fixed(&table, "good"), Some("yes"));
    assert_eq!(fixed(&table, "more"), Some("too"));
    assert_eq!(fixed(&table, "bad"), None);
}

#[test]
fn messages_without_arguments_are_formatted_at_load() {
    let table = Table::load(&source("en", TEST_FTL));
    assert_eq!(fixed(&table, "hello"), Some("Hello"));
    assert_eq!(fixed(&table, "brand"), Some("Tidepool rocks"));
    assert_eq!(fixed(&table, "long"), Some("First line\nSecond line"));
    assert_eq!(fixed(&table, "greet"), None, "takes an argument");
    assert_eq!(fixed(&table, "uses"), None, "selects by an argument");
}

#[test]
fn arguments_are_set_without_isolating_marks() {
    let table = Table::load(&source("en", TEST_FTL));
    assert_eq!(
        formatted(&table, "greet", &[("name", "Ana".into())]),
        "Hello, Ana!"
    );
    let name = String::from("{ $count } <b>");
    let args = [("name", Value::from(&name))];
    assert_eq!(formatted(&table, "greet", &args), "Hello, { $count } <b>!");
    for (count, text) in [
        (0, "0 uses"),
        (1, "1 use"),
        (2, "2 uses"),
        (1000, "1000 uses"),
    ] {
        assert_eq!(
            formatted(&table, "uses", &[("count", Value::from(count))]),
            text
        );
    }
    assert_eq!(
        formatted(&table, "uses", &[("count", 1_usize.into())]),
        "1 use"
    );
    assert_eq!(
        formatted(&table, "uses", &[("count", 1_u64.into())]),
        "1 use"
    );
}

#[test]
fn plurals_follow_the_language() {
    static POLISH: &str = "uses = { $count ->\n    [one] a\n    [few] b\n   *[many] c\n }\n";
    let table = Table::load(&source("pl", POLISH));
    for (count, form) in [(1, "a"), (3, "b"), (5, "c"), (22, "b")] {
        assert_eq!(formatted(&table, "uses", &[("count", count.into())]), form);
    }
}

#[test]
fn missing_translation_is_shown_in_english() {
    let sources = [source("en", TEST_FTL), source("de", "hello = Hallo\n")];
    let tables = load_all(&sources);
    assert_eq!(fixed(&tables[1], "hello"), Some("Hallo"));
    assert_eq!(fixed(&tables[1], "brand"), Some("Tidepool rocks"));
}

#[test]
fn compiled_in_languages_have_their_messages() {
    let english = Lang::default();
    assert_eq!(english.t("app-name"), "Tidepool");
    assert_eq!((english.tag(), english.dir()), ("en", "ltr"));
    assert!(english.has("app-name") && !english.has("no-such-key"));
    assert!(Lang::all().eq([("en", "English")]));
    let pseudo = Lang::negotiate(Some(PSEUDO_TAG), None);
    assert_eq!(pseudo.tag(), "en-x-pseudo");
    assert!(pseudo.t("app-name").starts_with('⟦'));
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "does not exist")]
fn unknown_key_panics_in_debug_builds() {
    Lang::default().t("no-such-key");
}
