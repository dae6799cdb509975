//! Comments of scripts and style sheets stay in the source: they are a fifth of its compressed bytes.
//! Statements stay as they are written.

/// Characters after which a comment may begin within a line; none of them stands before a `//` in
/// an address or a regular expression.
const BEFORE_COMMENT: [char; 6] = [';', ',', '{', '(', '[', '}'];

/// The kinds of files that [`strip_comments`] knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Language {
    JavaScript,
    Css,
}

impl Language {
    /// By the extension of a file's name. Nothing for other files.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "js" => Some(Self::JavaScript),
            "css" => Some(Self::Css),
            _ => None,
        }
    }
}

/// The text without comments that fill lines or end them. Comments begin and end on lines of their
/// own, or stand behind the code of their line; others are kept. No line of a template literal may
/// look like a comment.
pub fn strip_comments(text: &str, language: Language) -> String {
    let is_script = language == Language::JavaScript;
    let mut stripped = String::with_capacity(text.len());
    let mut in_comment = false;
    for line in text.lines() {
        let code = line.trim();
        if in_comment {
            in_comment = !code.ends_with("*/");
        } else if code.starts_with("/*") && (code.ends_with("*/") || !code.contains("*/")) {
            in_comment = !code.ends_with("*/");
        } else if !(is_script && code.starts_with("//")) {
            // The indentation of a script may be part of a template literal.
            stripped.push_str(if is_script { without_end(line) } else { code });
            stripped.push('\n');
        }
    }
    stripped
}

/// The line without a comment behind its code, unless quotes make it unclear where that begins.
fn without_end(line: &str) -> &str {
    let Some((before, comment)) = line.rsplit_once(" // ") else {
        return line;
    };
    let before = before.trim_end();
    if before.ends_with(BEFORE_COMMENT) && !comment.contains(['\'', '"', '`']) {
        before
    } else {
        line
    }
}
