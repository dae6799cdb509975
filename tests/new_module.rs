//! `tidepool new-module`: what it writes, and what it refuses. `tests/run` builds and tests a
//! package that it wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of one test, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("tidepool-new-module-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidepool"));
        command.arg("new-module").args(arguments);
        command.current_dir(&self.0).output().expect("it runs")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("text");
                files.push((path, text));
            }
        }
    }
    files
}

#[test]
fn new_module_has_its_name_everywhere() {
    let folder = Folder::new("name");
    let made = folder.run(&["to-do2"]);
    assert!(made.status.success(), "{made:?}");
    assert!(String::from_utf8_lossy(&made.stdout).contains("cargo test"));
    let files = files(&folder.0.join("to-do2"));
    let marks = [
        "__NAME__",
        "__TABLE__",
        "__TIDEPOOL__",
        "__TESTKIT__",
        "__PROFILE__",
    ];
    for (path, text) in &files {
        let shown = path.display();
        let is_filled = |mark| !text.contains(mark) && !shown.to_string().contains(mark);
        assert!(marks.iter().all(is_filled), "{shown}");
    }
    let text_of = |end: &str| {
        let file = files.iter().find(|(path, _)| path.ends_with(end));
        &file.expect(end).1
    };
    assert!(text_of("src/main.rs").contains("Module::new(\"to-do2\")"));
    assert!(text_of("0001_notes.sql").contains("CREATE TABLE to_do2_notes"));
    assert!(text_of("templates/to-do2/list.html").contains("/act/to-do2.add"));
    let checkout = format!("path = \"{}\"", env!("CARGO_MANIFEST_DIR"));
    assert!(text_of("Cargo.toml").contains(&checkout));
}

#[test]
fn existing_folder_is_refused_untouched() {
    let folder = Folder::new("existing");
    std::fs::create_dir(folder.0.join("notes")).expect("a folder");
    std::fs::write(folder.0.join("notes/mine"), "kept").expect("a file");
    let refused = folder.run(&["notes"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exists already"));
    assert_eq!(files(&folder.0).len(), 1);
}

#[test]
fn bad_name_or_checkout_makes_nothing() {
    let folder = Folder::new("bad");
    for arguments in [
        &["Notes"][..],
        &["../notes"],
        &["chat"],
        &["notes", "--tidepool", "."],
    ] {
        let refused = folder.run(arguments);
        assert!(!refused.status.success(), "{arguments:?}");
    }
    assert_eq!(files(&folder.0).len(), 0);
    assert!(!folder.0.join("notes").exists());
}

#[test]
fn new_module_is_formatted_whatever_its_name() {
    let folder = Folder::new("format");
    for name in ["ab", "a-name-of-as-many-letters-as-fit"] {
        assert!(folder.run(&[name]).status.success(), "{name}");
        let manifest = folder.0.join(name).join("Cargo.toml");
        let mut command = Command::new("cargo");
        command
            .args(["fmt", "--check", "--manifest-path"])
            .arg(manifest);
        let checked = command.output().expect("cargo runs");
        assert!(checked.status.success(), "{name}: {checked:?}");
    }
}
