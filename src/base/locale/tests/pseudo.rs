use super::super::PSEUDO_TAG;
use super::super::languages::Source;
use super::super::pseudo::accentuate;
use super::super::table::Table;
use super::{TEST_FTL, fixed, formatted, source};

#[test]
fn pseudo_locale_changes_words_but_not_arguments() {
    let table = Table::load(&Source {
        is_pseudo: true,
        ..source(PSEUDO_TAG, TEST_FTL)
    });
    assert_eq!(fixed(&table, "hello"), Some("⟦Ĥééĺĺóó⟧"));
    assert_eq!(fixed(&table, "tea"), Some("⟦Ťééáá & çááķéé &amp; ɱóóŕéé⟧"));
    let greeting = formatted(&table, "greet", &[("name", "Ana &amp".into())]);
    assert_eq!(greeting, "⟦Ĥééĺĺóó, Ana &amp!⟧");
    assert_eq!(
        formatted(&table, "uses", &[("count", 1.into())]),
        "⟦1 úúšéé⟧"
    );
}

#[test]
fn pseudo_locale_is_longer_than_english() {
    let plain = "There is nothing here. You may not do that. Please wait a moment.";
    let share = accentuate(plain).chars().count() * 100 / plain.len();
    assert!((125..=150).contains(&share), "{share} %");
}
