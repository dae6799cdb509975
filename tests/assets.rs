//! What release builds embed of scripts and style sheets: all of their code, none of their
//! comments.

use std::path::{Path, PathBuf};

#[path = "../build/strip_comments.rs"]
mod strip_comments;

use strip_comments::{Language, strip_comments};

/// Our own scripts and style sheets.
fn sources() -> Vec<(PathBuf, Language, String)> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let mut folders = vec![assets.join("js"), assets.join("css")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let extension = path.extension().and_then(|extension| extension.to_str());
            if let Some(language) = extension.and_then(Language::from_extension) {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, language, text));
            }
        }
    }
    found
}

#[test]
fn comments_are_stripped_and_code_is_kept() {
    let script = "// About.\nimport { a } from './a.js'; // why\n/**\n * Doc.\n */\nfunction f() {\n\
                  \x20 const url = 'http://x // y'; // it's\n  return 1; // one\n}\n";
    assert_eq!(
        strip_comments(script, Language::JavaScript),
        "import { a } from './a.js';\nfunction f() {\n  const url = 'http://x // y'; // it's\n\
         \x20 return 1;\n}\n"
    );
    let style = "/* About. */\n.a {\n  /* two\n     lines */\n  b: url(//c); /* kept */\n}\n";
    assert_eq!(
        strip_comments(style, Language::Css),
        ".a {\nb: url(//c); /* kept */\n}\n"
    );
}

#[test]
fn stripped_assets_hold_their_lines_without_comments() {
    let sources = sources();
    assert!(sources.len() > 40, "{}", sources.len());
    for (path, language, text) in sources {
        let stripped = strip_comments(&text, language);
        let mut lines = text.lines().map(str::trim);
        for line in stripped.lines().map(str::trim) {
            let is_kept = lines.any(|original| original.starts_with(line));
            assert!(is_kept, "{}: {line}", path.display());
            let is_comment = line.starts_with("/*") || line.starts_with("* ");
            let is_comment = is_comment || line.starts_with("//");
            assert!(!is_comment, "{}: {line}", path.display());
        }
        assert!(stripped.len() < text.len(), "{}", path.display());
    }
}
