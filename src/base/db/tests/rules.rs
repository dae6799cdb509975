//! That both databases have the same schema.

use std::collections::BTreeMap;
use std::path::Path;

fn names(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect()
}

#[test]
fn migrations_of_both_databases_have_same_names() {
    let (sqlite, postgres) = (names("migrations/sqlite"), names("migrations/postgres"));
    let of = |all: &BTreeMap<String, String>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(of(&sqlite), of(&postgres));
}

#[test]
fn text_columns_of_postgres_sort_by_bytes() {
    for (name, text) in names("migrations/postgres") {
        for line in text
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default())
        {
            let texts = line.matches("TEXT").count();
            let sorted = line.matches("TEXT COLLATE \"C\"").count();
            assert_eq!(texts, sorted, "{name}: {line}");
        }
    }
}
