//! `tidepool new-module`: writes the package of a module, ready to build, run and test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

const MIN_NAME_LENGTH: usize = 2;
const MAX_NAME_LENGTH: usize = 32;

/// Names that conflict with the server's modules, feeds and paths, with a dependency or with cargo.
const RESERVED_NAMES: &[&str] = &[
    "account",
    "admin",
    "alloc",
    "anyhow",
    "askama",
    "axum",
    "build",
    "chat",
    "community",
    "core",
    "deps",
    "engine",
    "examples",
    "incremental",
    "people",
    "presence",
    "room",
    "rooms",
    "serde",
    "server",
    "settings",
    "space",
    "sqlx",
    "std",
    "test",
    "tidepool",
    "tidepool-testkit",
    "tokio",
];

/// Rust's keywords, which cannot be package names.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
];

/// The path and text of each file; placeholders such as `__NAME__` are replaced in both.
const FILES: [(&str, &str); 18] = [
    ("Cargo.toml", include_str!("new_module/Cargo.toml.in")),
    ("askama.toml", include_str!("new_module/askama.toml.in")),
    ("rustfmt.toml", include_str!("new_module/rustfmt.toml.in")),
    (".gitignore", include_str!("new_module/gitignore.in")),
    (
        "migrations/0001_notes.sql",
        include_str!("new_module/0001_notes.sql.in"),
    ),
    ("locales/en.ftl", include_str!("new_module/en.ftl.in")),
    (
        "templates/__NAME__/list.html",
        include_str!("new_module/list.html.in"),
    ),
    (
        "templates/__NAME__/row.html",
        include_str!("new_module/row.html.in"),
    ),
    ("src/main.rs", include_str!("new_module/main.rs.in")),
    ("src/topics.rs", include_str!("new_module/topics.rs.in")),
    ("src/model.rs", include_str!("new_module/model.rs.in")),
    ("src/store.rs", include_str!("new_module/store.rs.in")),
    ("src/views.rs", include_str!("new_module/views.rs.in")),
    ("src/pages.rs", include_str!("new_module/pages.rs.in")),
    (
        "src/presenter.rs",
        include_str!("new_module/presenter.rs.in"),
    ),
    ("src/actions.rs", include_str!("new_module/actions.rs.in")),
    ("src/actions/add.rs", include_str!("new_module/add.rs.in")),
    ("tests/module.rs", include_str!("new_module/tests.rs.in")),
];

/// Writes the package of a module called `name` into the new folder `path` (by default `./name`),
/// for the checkout of Tidepool at `tidepool` (by default the one this program was built from).
/// Returns the text to print.
///
/// # Errors
/// For an invalid name, a folder that exists, a path that is no checkout, or a failed write;
/// nothing is left behind then.
pub fn create(name: &str, path: Option<PathBuf>, tidepool: Option<PathBuf>) -> Result<String> {
    check_name(name)?;
    let checkout = tidepool.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let checkout = fs::canonicalize(&checkout)
        .ok()
        .filter(|folder| folder.join("templates/community/shell.html").is_file())
        .with_context(|| {
            let shown = checkout.display();
            format!("{shown} is no checkout of Tidepool; name one with --tidepool")
        })?;
    let folder = path.unwrap_or_else(|| name.into());
    ensure!(
        folder.symlink_metadata().is_err(),
        "{} exists already",
        folder.display()
    );
    let parent = folder.parent().unwrap_or(Path::new(""));
    let created = fs::create_dir_all(parent).and_then(|()| fs::create_dir(&folder));
    created.with_context(|| format!("cannot make {}", folder.display()))?;
    if let Err(error) = write_files(name, &folder, &checkout) {
        // Created above, so it holds nothing else.
        let _ = fs::remove_dir_all(&folder);
        return Err(error);
    }
    format(&folder);
    let shown = folder.display();
    Ok(format!(
        "{shown} holds the module {name}. Next:\n\
         \x20  cd {shown}\n\
         \x20  cargo test    builds it and runs its tests\n\
         \x20  cargo run     serves it at http://127.0.0.1:8080\n\
         {}/docs/module.md explains each part.\n",
        checkout.display()
    ))
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    ensure!(
        (MIN_NAME_LENGTH..=MAX_NAME_LENGTH).contains(&name.len())
            && name.bytes().all(is_plain)
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('-'),
        "a module's name has {MIN_NAME_LENGTH} to {MAX_NAME_LENGTH} of a-z, 0-9 and '-', \
         begins with a letter and does not end with '-'"
    );
    if RESERVED_NAMES.contains(&name) || KEYWORDS.contains(&name) {
        bail!("the name {name} is taken");
    }
    Ok(())
}

/// Formats the package: where lines break depends on its name. Without `cargo fmt` it stays as it is.
fn format(folder: &Path) {
    let manifest = folder.join("Cargo.toml");
    let mut command = Command::new("cargo");
    command.arg("fmt").arg("--manifest-path").arg(manifest);
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// The development profile of Tidepool's manifest: its sections `[profile.dev…]`.
fn dev_profile(manifest: &str) -> String {
    let mut is_inside = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_inside = line.starts_with("[profile.dev");
        }
        is_inside
    });
    let profile: Vec<_> = lines.collect();
    format!("{}\n", profile.join("\n").trim_end())
}

fn write_files(name: &str, folder: &Path, checkout: &Path) -> Result<()> {
    let manifest = fs::read_to_string(checkout.join("Cargo.toml"));
    let manifest = manifest.context("cannot read Tidepool's Cargo.toml")?;
    let values = [
        ("__PROFILE__", dev_profile(&manifest)),
        ("__NAME__", name.to_owned()),
        ("__TABLE__", name.replace('-', "_")),
        ("__TIDEPOOL__", toml_string(checkout)?),
        ("__TESTKIT__", toml_string(&checkout.join("testkit"))?),
        ("__TEMPLATES__", toml_string(&checkout.join("templates"))?),
    ];
    let fill_in = |text: &str| {
        let replace =
            |text: String, (placeholder, value): &(&str, String)| text.replace(placeholder, value);
        values.iter().fold(text.to_owned(), replace)
    };
    for (path, text) in FILES {
        write(&folder.join(fill_in(path)), &fill_in(text))?;
    }
    // Pins the dependency versions that Tidepool is tested with.
    let lock = checkout.join("Cargo.lock");
    if let Ok(lock) = fs::read_to_string(lock) {
        write(&folder.join("Cargo.lock"), &lock)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let written = match path.parent() {
        Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(path, text)),
        None => fs::write(path, text),
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// A path as a TOML string. TOML basic strings use the escapes of JSON.
fn toml_string(path: &Path) -> Result<String> {
    let text = path.to_str().context("the checkout's path is not UTF-8")?;
    Ok(serde_json::to_string(text)?)
}

#[cfg(test)]
mod tests {
    use super::{check_name, dev_profile};

    #[test]
    fn invalid_module_names_are_refused() {
        for name in ["ab", "to-do", "list2", &"x".repeat(32)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "a",
            "Todo",
            "to_do",
            "2do",
            "-do",
            "do-",
            "../x",
            "tö",
            "chat",
            "match",
            &"x".repeat(33),
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn profile_ends_before_next_section() {
        let profile = "[profile.dev]\ndebug = 1\n\n[profile.dev.package.a]\nopt-level = 3\n";
        let manifest =
            format!("[dependencies]\nb = \"1\"\n\n{profile}\n[profile.release]\nlto = 1\n");
        assert_eq!(dev_profile(&manifest), profile);
    }
}
