//! Documents are true where they can be compared with the code. docs/limits.md: each row names the setting or the constant that its number comes from,
//! and every setting and constant that limits what somebody can send has its row. docs/security.md: the
//! files and tests that it names exist.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tidepool::base::settings::{Profile, Settings};

/// Settings that are no limits: addresses, names, tuning.
const NO_LIMITS: [&str; 40] = [
    "address",
    "behind_proxy",
    "cache_mib",
    "cache_ttl_seconds",
    "database",
    "feed_frames",
    "hosts",
    "https",
    "idle_after_seconds",
    "letters_prompts_model",
    "letters_prompts_url",
    "link_previews",
    "link_previews_from_loopback",
    "log",
    "log_json",
    "mail",
    "mail_from",
    "nats",
    "nats_prefix",
    "oidc_client_id",
    "oidc_create_accounts",
    "oidc_issuer",
    "oidc_name",
    "presence_batch_millis",
    "profile",
    "public_address",
    "push_to_loopback",
    "readers",
    "room_shells",
    "s3_access_key",
    "s3_bucket",
    "s3_endpoint",
    "s3_patience_seconds",
    "s3_region",
    "terminals",
    "voice_addresses",
    "voice_port",
    "write_batch",
    "write_shards",
    "write_wait_micros",
];

/// Constants whose names begin with `MAX_` that bound the server's own work, not what it is sent.
const INTERNAL: [&str; 122] = [
    "MAX_ACCOUNTS_TOLD",
    "MAX_ACCOUNT_FRAMES",
    "MAX_ADD_ATTEMPTS",
    "MAX_AGE",
    "MAX_ANSWER_BYTES",
    "MAX_AREAS_LISTED",
    "MAX_ASSIGNED_PER_RUN",
    "MAX_ATTRIBUTES",
    "MAX_BACKOFF",
    "MAX_BADGES_READ",
    "MAX_BATCH",
    "MAX_BATCHES",
    "MAX_BATCH_BYTES",
    "MAX_BATCH_FRAMES",
    "MAX_BATCH_ROWS",
    "MAX_BODY_BYTES",
    "MAX_BRIEF",
    "MAX_BUFFERED_ROWS",
    "MAX_CACHED",
    "MAX_CACHED_BODY_BYTES",
    "MAX_CANDIDATES",
    "MAX_CARRIED_SHOWN",
    "MAX_CONCURRENT_PARTS",
    "MAX_CONTESTS_LISTED",
    "MAX_COUNTED",
    "MAX_COUNTED_AT_ONCE",
    "MAX_COURIERS_LISTED",
    "MAX_DELAY",
    "MAX_DELETED_COUNTS",
    "MAX_EMOJI_SOURCE_BYTES",
    "MAX_ENDED",
    "MAX_ENDS",
    "MAX_ENTRIES_SHOWN",
    "MAX_ENVELOPES_LISTED",
    "MAX_EXCERPT_CHARS",
    "MAX_EXHIBITIONS_LISTED",
    "MAX_EXHIBITS_SHOWN",
    "MAX_EXIF_BYTES",
    "MAX_EXPIRED_AT_ONCE",
    "MAX_EXPIRED_PER_NIGHT",
    "MAX_FILES_IN_MEMORY",
    "MAX_FLUSH_FRAMES",
    "MAX_FRAMES",
    "MAX_HEADS_READ",
    "MAX_IDLE_CAPACITY",
    "MAX_INBOX_FRAMES",
    "MAX_INCOMING",
    "MAX_INLINE_BYTES",
    "MAX_INPUT_BYTES",
    "MAX_INSTANCES",
    "MAX_INTERESTS_BYTES",
    "MAX_LARGE_EMOJI",
    "MAX_LEAD_CHARS",
    "MAX_LETTERS_ON_PAGE",
    "MAX_LETTER_FRAMES",
    "MAX_LISTED_DIFFERENCES",
    "MAX_LISTED_ITEMS",
    "MAX_LOCK_CONNECTIONS",
    "MAX_MENTIONED",
    "MAX_NAMED_IN_TITLE",
    "MAX_NAME_LENGTH",
    "MAX_NEWEST",
    "MAX_NEW_KEYS",
    "MAX_NOTICES_MAILED",
    "MAX_NOTICES_ON_PAGE",
    "MAX_NOTICES_TOLD",
    "MAX_ON_PAGE",
    "MAX_OUTGOING",
    "MAX_OUTPUT_BYTES",
    "MAX_PARAMS",
    "MAX_PASSED",
    "MAX_PEOPLE_PER_FRAME",
    "MAX_PERMISSIONS",
    "MAX_PLACES_LISTED",
    "MAX_POINT_ROWS_SHOWN",
    "MAX_POSITION",
    "MAX_POSITIONS",
    "MAX_POSTS_TOLD",
    "MAX_PREPARED_STATEMENTS",
    "MAX_PRESENTING",
    "MAX_PROCESSES_READ",
    "MAX_PROPOSALS_LISTED",
    "MAX_QUESTIONS",
    "MAX_QUESTION_CHARS",
    "MAX_QUEUE_FRAMES",
    "MAX_QUOTES_UPDATED",
    "MAX_RECENT",
    "MAX_RECIPIENTS_TOLD",
    "MAX_RESIZES",
    "MAX_RETRY_DELAY",
    "MAX_ROOMS_READ",
    "MAX_ROW_CHARS",
    "MAX_RUNNING_SHOWN",
    "MAX_SCALARS_PER_CHAR",
    "MAX_SEALED_SHOWN",
    "MAX_SEARCHED",
    "MAX_SEARCHES",
    "MAX_SHARDS",
    "MAX_SHEETS_LISTED",
    "MAX_SIGNALS",
    "MAX_SNIPPET_CHARS",
    "MAX_SPAN",
    "MAX_STATEMENT_ROWS",
    "MAX_STATEMENT_VALUES",
    "MAX_STEP",
    "MAX_STRING",
    "MAX_TEXT_SHOWN",
    "MAX_THUMBNAIL_COLS",
    "MAX_THUMBNAIL_ROWS",
    "MAX_TITLE_BYTES",
    "MAX_TITLE_SOURCE",
    "MAX_TOLD",
    "MAX_TRIES",
    "MAX_UNACKED_BYTES",
    "MAX_UNREAD_COUNTED",
    "MAX_UNREAD_THREADS",
    "MAX_V6_BITS",
    "MAX_VALUES",
    "MAX_WAITING_INPUT",
    "MAX_WAL_PAGES",
    "MAX_WAYS",
    "MAX_WRITE_SLICES",
];

/// A row of a table: what is limited, its limit as written, and the source of the number.
struct Row {
    what: String,
    limit: String,
    source: String,
}

fn rows() -> Vec<Row> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let source = cells.last()?.strip_prefix('`')?.strip_suffix('`')?;
        Some(Row {
            what: cells.first()?.to_string(),
            limit: cells.get(1)?.to_string(),
            source: source.to_owned(),
        })
    };
    text.lines()
        .filter(|line| line.starts_with('|'))
        .filter_map(row)
        .collect()
}

/// A number with its unit, in bytes or seconds: `16 KiB`, `0.1 s`, `4,000`.
fn amount(text: &str) -> f64 {
    let mut words = text.split_whitespace();
    let number = words.next().unwrap_or_default().replace(',', "");
    let number: f64 = number
        .parse()
        .unwrap_or_else(|_| panic!("no number: {text:?}"));
    number
        * match words.next() {
            Some("KiB") => 1024.0,
            Some("MiB") => 1048576.0,
            Some("GiB") => 1073741824.0,
            Some("ms") => 0.001,
            Some("min") => 60.0,
            Some("h") => 3600.0,
            Some("days") => 86400.0,
            _ => 1.0,
        }
}

/// The value of a setting in the profile `production`, in bytes or seconds.
fn setting(settings: &Value, name: &str) -> Option<f64> {
    let value = settings.get(name)?.as_f64()?;
    let unit = if name.contains("_mib") {
        1048576.0
    } else if name.contains("_kib") {
        1024.0
    } else if name.ends_with("_hours") {
        3600.0
    } else {
        1.0
    };
    Some(value * unit)
}

/// The constants of the sources, by file and name, with the expressions that give their values.
fn constants() -> BTreeMap<(String, String), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found) = (vec![root.join("src")], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let file = path.strip_prefix(root).unwrap().display().to_string();
            for line in text.lines() {
                let Some((_, constant)) = line.split_once("const ") else {
                    continue;
                };
                let parts = constant.split_once(": ").and_then(|(name, rest)| {
                    let value = rest.split_once(" = ")?.1.split(';').next()?;
                    Some((name.to_owned(), value.to_owned()))
                });
                if let Some((name, value)) = parts {
                    found.insert((file.clone(), name), value);
                }
            }
        }
    }
    found
}

/// The value of an expression such as `16 << 10`, `365 * 86_400` or `Duration::from_millis(100)`.
/// `look_up` finds the expression of another constant.
fn evaluate(expression: &str, look_up: &dyn Fn(&str) -> String) -> f64 {
    let evaluate = |expression: &str| evaluate(expression, look_up);
    let inner = |prefix: &str| {
        let rest = expression.split_once(prefix)?.1;
        rest.strip_suffix(')').map(evaluate)
    };
    let units = [
        ("from_secs(", 1.0),
        ("from_millis(", 0.001),
        ("from_micros(", 0.000_001),
        ("::days(", 86400.0),
    ];
    for (prefix, unit) in units {
        if let Some(value) = inner(prefix) {
            return value * unit;
        }
    }
    if let Some((left, right)) = expression.split_once(" << ") {
        return evaluate(left) * 2_f64.powf(evaluate(right));
    }
    if let Some((left, right)) = expression.split_once(" * ") {
        return evaluate(left) * evaluate(right);
    }
    match expression.replace('_', "").as_str() {
        "MIB" => 1048576.0,
        number => match number.parse() {
            Ok(number) => number,
            Err(_) => evaluate(&look_up(expression)),
        },
    }
}

fn production() -> Value {
    let settings = Settings::of(Profile::Production, Path::new("data"));
    serde_json::to_value(settings).unwrap()
}

#[test]
fn limits_are_as_documented() {
    let (settings, constants) = (production(), constants());
    for row in rows() {
        let value = match row.source.split_once(' ') {
            Some((file, name)) => {
                constants
                    .get(&(file.to_owned(), name.to_owned()))
                    .map(|expression| {
                        evaluate(expression, &|name| {
                            constants[&(file.to_owned(), name.to_owned())].clone()
                        })
                    })
            }
            None => setting(&settings, &row.source),
        };
        let value = value.unwrap_or_else(|| panic!("{}: there is no {}", row.what, row.source));
        let documented = amount(&row.limit);
        assert!(
            (documented - value).abs() < 1e-9,
            "{}: {documented}, but {} is {value}",
            row.what,
            row.source
        );
    }
}

#[test]
fn every_limit_is_documented() {
    let sources: Vec<_> = rows().into_iter().map(|row| row.source).collect();
    let settings = production();
    let of_settings = settings.as_object().unwrap().keys().cloned();
    let of_settings = of_settings.filter(|name| !NO_LIMITS.contains(&name.as_str()));
    let of_code = constants()
        .into_keys()
        .filter(|(file, _)| !file.contains("/tests/"))
        .filter(|(file, name)| !(file.ends_with("/check.rs") && name == "MAX_LISTED"))
        .filter(|(_, name)| name.starts_with("MAX_") && !INTERNAL.contains(&name.as_str()))
        .map(|(file, name)| format!("{file} {name}"));
    let missing: Vec<_> = of_settings
        .chain(of_code)
        .filter(|source| !sources.contains(source))
        .collect();
    assert!(
        missing.is_empty(),
        "without a row in docs/limits.md: {missing:#?}"
    );
}

/// Every file below these folders, with its text.
fn files(folders: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.push((name, text));
            }
        }
    }
    found
}

#[test]
fn security_names_existing_files_and_tests() {
    assert!(named_files("docs/security.md") > 100);
}

#[test]
fn features_name_existing_tests() {
    assert!(named_files("docs/features.md") > 50);
}

/// Fails unless the source files and tests that a document names exist; how many it names.
fn named_files(document: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(document)).unwrap();
    let files = files(&[
        "src",
        "tests",
        "migrations",
        "assets/js",
        "docs",
        "fuzz/fuzz_targets",
    ]);
    let quoted = text.split('`').skip(1).step_by(2);
    let named = quoted.filter(|name| name.contains(".rs") && !name.contains(' '));
    let mut checked = 0;
    for name in named {
        let (file, test) = name.split_once("::").unwrap_or((name, ""));
        let file = file.trim_start_matches("../");
        let is_there = files.iter().any(|(path, text)| {
            (path == file || path.ends_with(&format!("/{file}")))
                && (test.is_empty() || text.contains(&format!("fn {test}(")))
        });
        assert!(is_there, "{document} names {name}");
        checked += 1;
    }
    checked
}

#[test]
fn permissions_document_has_the_table_of_the_program() {
    let table = tidepool::app::permission_table(&tidepool::app::modules());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/permissions.md")).unwrap();
    assert!(
        document.contains(&table),
        "docs/permissions.md: put in the output of `tidepool permissions`:\n{table}"
    );
}
