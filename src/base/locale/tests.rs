use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Keys put together at run time (`format!("role-{name}")` and the like) start with one of
/// these and count as used.
const DYNAMIC_PREFIXES: &[&str] = &["presence-"];

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
        pseudo: false,
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

#[test]
fn every_file_is_sound() {
    for source in &SOURCES {
        let problems = problems(source.ftl);
        assert!(problems.is_empty(), "{}.ftl: {problems:#?}", source.code);
        assert!(source.tag.parse::<LanguageIdentifier>().is_ok() || source.pseudo);
        assert!(matches!(source.dir, "ltr" | "rtl"));
    }
}

#[test]
fn every_translation_has_an_original() {
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
fn mistakes_are_found_with_their_line() {
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

#[test]
fn a_broken_file_keeps_its_good_messages() {
    let table = Table::load(&source(
        "en",
        "good = yes\nbad { = no\nmore = too\nmore = 2\n",
    ));
    assert_eq!(fixed(&table, "good"), Some("yes"));
    assert_eq!(fixed(&table, "more"), Some("too"));
    assert_eq!(fixed(&table, "bad"), None);
}

#[test]
fn messages_without_arguments_are_ready() {
    let table = Table::load(&source("en", TEST_FTL));
    assert_eq!(fixed(&table, "hello"), Some("Hello"));
    assert_eq!(fixed(&table, "brand"), Some("Tidepool rocks"));
    assert_eq!(fixed(&table, "long"), Some("First line\nSecond line"));
    assert_eq!(fixed(&table, "greet"), None, "takes an argument");
    assert_eq!(fixed(&table, "uses"), None, "selects by an argument");
}

#[test]
fn arguments_are_set_without_marks() {
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
fn english_fills_the_gaps() {
    let deps = [source("en", TEST_FTL), source("de", "hello = Hallo\n")];
    let tables = load_all(&deps);
    assert_eq!(fixed(&tables[1], "hello"), Some("Hallo"));
    assert_eq!(fixed(&tables[1], "brand"), Some("Tidepool rocks"));
}

#[test]
fn the_compiled_in_languages_answer() {
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
fn an_unknown_key_is_noticed() {
    Lang::default().t("no-such-key");
}

#[test]
fn the_setting_wins_over_the_header() {
    static SOURCES: [Source; 4] = [
        source("en", ""),
        source("de", ""),
        source("pt-BR", ""),
        Source {
            pseudo: true,
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

#[test]
fn the_pseudo_locale_changes_words_only() {
    let table = Table::load(&Source {
        pseudo: true,
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
fn the_pseudo_locale_is_longer() {
    let plain = "There is nothing here. You may not do that. Please wait a moment.";
    let share = disguise(plain).chars().count() * 100 / plain.len();
    assert!((125..=150).contains(&share), "{share} %");
}

/// A key as used in a template or in code.
struct Use {
    key: String,
    place: String,
    with_arguments: bool,
}

#[test]
fn every_key_used_in_templates_exists() {
    let english = Lang::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let uses: Vec<Use> = files(&root.join("templates"), "html")
        .into_iter()
        .chain(files(&root.join("src"), "rs"))
        .flat_map(|path| uses_in(&path))
        .collect();
    let mut mistakes = Vec::new();
    for used in &uses {
        let Use { key, place, .. } = used;
        if !english.has(key) {
            mistakes.push(format!("{place}: `{key}` is not in en.ftl"));
        } else if !used.with_arguments && !english.table().fixed.contains_key(key.as_str()) {
            mistakes.push(format!("{place}: `{key}` takes arguments"));
        }
    }
    // Before there are pages nothing is used yet.
    if root.join("templates").is_dir() {
        mistakes.extend(unused_keys(&uses));
    }
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

/// The keys of the English file that nothing refers to.
fn unused_keys(uses: &[Use]) -> Vec<String> {
    let used: BTreeSet<&str> = uses.iter().map(|used| used.key.as_str()).collect();
    let ftl = Lang::default().source().ftl;
    message_ids(ftl)
        .filter(|(_, key)| !used.contains(key))
        .filter(|(_, key)| {
            !DYNAMIC_PREFIXES
                .iter()
                .any(|prefix| key.starts_with(prefix))
        })
        .filter(|(_, key)| !ftl.contains(&format!("{{ {key} }}")))
        .map(|(line, key)| format!("en.ftl:{line}: `{key}` is not used"))
        .collect()
}

/// All files below a folder whose name ends so; none if there is no such folder.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("readable folder").path()) {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension)
            && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
    found
}

fn uses_in(path: &Path) -> Vec<Use> {
    let content = fs::read_to_string(path).expect("readable source");
    let is_rust = path.extension().is_some_and(|end| end == "rs");
    let name = path.display().to_string();
    uses_in_text(&content, is_rust)
        .into_iter()
        .map(|(line, key, with_arguments)| Use {
            key,
            place: format!("{name}:{line}"),
            with_arguments,
        })
        .collect()
}

/// The (line, key, with arguments) of every call in a text. Tests and comments do not count.
fn uses_in_text(content: &str, is_rust: bool) -> Vec<(usize, String, bool)> {
    let mut code = content.to_owned();
    if is_rust {
        code.truncate(code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len()));
        let is_comment = |line: &&str| line.trim_start().starts_with("//");
        code = code
            .lines()
            .map(|line| if is_comment(&line) { "" } else { line })
            .collect::<Vec<_>>()
            .join("\n");
    }
    let calls = [(".t(", false), (".with(", true), ("key!(", true)];
    let mut found = Vec::new();
    for (call, with_arguments) in calls {
        for (start, _) in code.match_indices(call) {
            // The key may be on the line after the parenthesis.
            let Some(after) = code[start + call.len()..].trim_start().strip_prefix('"') else {
                continue;
            };
            let key = after.split('"').next().unwrap_or_default();
            let line = code[..start].matches('\n').count() + 1;
            found.push((line, key.to_owned(), with_arguments));
        }
    }
    if is_rust {
        // Errors carry their key to where it is shown, so any such literal is a use.
        found.extend(error_keys(&code));
    }
    found.sort();
    found.dedup();
    found
}

/// The (line, key, with arguments) of every literal that looks like the key of an error.
fn error_keys(code: &str) -> impl Iterator<Item = (usize, String, bool)> + '_ {
    code.match_indices("\"error-").filter_map(|(start, _)| {
        let key = code[start + 1..].split('"').next()?;
        let is_key = key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let line = code[..start].matches('\n').count() + 1;
        // A prefix to build a key from ends in a dash.
        (is_key && !key.ends_with('-')).then(|| (line, key.to_owned(), true))
    })
}

#[test]
fn uses_are_found() {
    let code = "a.t(\"one\") // b.t(\"two\")\n/// c.t(\"no\")\nkey!( \"three\")\nd.with(\n  \
                    \"four\", &[])\ne.t(name) spot(\"no\")\n#[cfg(test)]\nmod tests { f.t(\"no\") }";
    let keys: BTreeMap<_, _> = uses_in_text(code, true)
        .into_iter()
        .map(|(line, key, _)| (key, line))
        .collect();
    let expected = [("four", 4), ("one", 1), ("three", 3), ("two", 1)];
    assert!(
        keys.iter()
            .map(|(key, line)| (key.as_str(), *line))
            .eq(expected)
    );
    let errors = "Conflict(\"error-x-1\") \"error-\" \"error-no {}\"";
    assert_eq!(
        uses_in_text(errors, true),
        [(1, "error-x-1".to_owned(), true)]
    );
    let template = "{{ lang.t(\"a\") }} {{ lang.with(\"b\", &args) }}";
    assert_eq!(uses_in_text(template, false).len(), 2);
}

#[test]
fn added_messages_are_checked() {
    let check = |tag, ftl| {
        let module = "todo";
        Added { module, tag, ftl }.check()
    };
    assert!(check("en", "todo-title = To do\n").is_ok());
    for (tag, ftl) in [
        ("tlh", "todo-title = To do\n"),
        ("en", "title = To do\n"),
        ("en", "todo-title = { $\n"),
    ] {
        assert!(check(tag, ftl).is_err(), "{ftl}");
    }
}
