//! Tests of messages and languages, and what they share.

mod catalogue;
mod module_messages;
mod negotiation;
mod pseudo;
mod table;
mod used_keys;

use fluent_bundle::{FluentArgs, FluentValue};

use super::Value;
use super::languages::Source;
use super::table::Table;

const TEST_FTL: &str = "\
# A comment = not a message
hello = Hello
tea = Tea & cake &amp; more
greet = Hello, { $name }!
uses = { $count ->
    [one] { $count } use
   *[other] { $count } uses
}
brand = { -name } rocks
-name = Tidepool
long =
    First line
    Second line
";

const fn source(code: &'static str, ftl: &'static str) -> Source {
    Source {
        code,
        tag: code,
        own_name: code,
        dir: "ltr",
        ftl,
        is_pseudo: false,
    }
}

fn fixed<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.fixed.get(key).map(AsRef::as_ref)
}

fn formatted(table: &Table, key: &str, args: &[(&'static str, Value<'_>)]) -> String {
    let mut values = FluentArgs::new();
    for (name, value) in args {
        values.set(*name, FluentValue::from(value));
    }
    let (text, errors) = table.format(key, Some(&values)).expect("exists");
    assert!(errors.is_empty(), "{errors:?}");
    text
}
