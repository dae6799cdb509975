//! Code blocks: highlighted by language, within bounds of time and size.
//!
//! Grammars are lists of regular expressions, and some of them backtrack: a line of a hundred bytes
//! can cost a million steps for each of them. So a message has a budget of time for its code; the
//! block that exceeds it and those after it are shown plain.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comrak::nodes::{Node, NodeCodeBlock, NodeValue};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};
use syntect::util::LinesWithEndings;

/// Bytes of a code block beyond which it is not highlighted.
pub(super) const MAX_HIGHLIGHT_BYTES: usize = 20 * 1024;

/// Bytes of one line of code beyond which its block is not highlighted: a grammar's work can grow
/// with the square of a line, and a line that long is data. The budget is asked after each line;
/// the costliest line of this length that was found took 90 ms.
pub(super) const MAX_HIGHLIGHT_LINE_BYTES: usize = 500;

/// CPU time for the code of one message. Ordinary code of a message's length takes 20 ms.
pub(super) const MAX_HIGHLIGHT_TIME: Duration = Duration::from_millis(100);

/// CPU time more when a language is highlighted for the first time since the start: its grammar
/// is compiled then, which takes up to 150 ms.
const FIRST_USE_TIME: Duration = Duration::from_millis(400);

/// How many times longer than its code a highlighted block may be. Ordinary code is about four;
/// one written to change colour with every character stays plain instead of filling every
/// reader's page.
pub(super) const MAX_HIGHLIGHT_GROWTH: usize = 12;

/// Bytes any highlighted block may take, however short its code.
pub(super) const MIN_HIGHLIGHT_ALLOWED: usize = 2048;

/// The classes of highlighted code: (grammar scope, class), the more special scopes first. One
/// class per run of text instead of every scope around it keeps a block about ten times smaller,
/// and the style sheet short.
pub(super) const CLASSES: [(&str, &str); 22] = [
    ("comment", "hl-comment"),
    ("constant.character.escape", "hl-escape"),
    ("string", "hl-string"),
    ("constant.numeric", "hl-number"),
    ("constant", "hl-constant"),
    ("keyword.operator", "hl-operator"),
    ("keyword", "hl-keyword"),
    ("storage", "hl-keyword"),
    ("entity.name.function", "hl-function"),
    ("support.function", "hl-function"),
    ("variable.function", "hl-function"),
    ("entity.name.tag", "hl-tag"),
    ("entity.other.attribute-name", "hl-attribute"),
    ("entity", "hl-type"),
    ("support", "hl-type"),
    ("variable.parameter", "hl-variable"),
    ("variable.language", "hl-keyword"),
    ("meta.diff.range", "hl-comment"),
    ("meta.diff.header", "hl-comment"),
    ("markup.inserted", "hl-inserted"),
    ("markup.deleted", "hl-deleted"),
    ("markup.heading", "hl-heading"),
];

/// Prefix of the class that names a code block's language.
pub(super) const LANGUAGE_PREFIX: &str = "language-";

/// The languages that are highlighted: (word after the fence, token the grammar is found by).
/// Listed here so that a lookup does not load the grammars, and so that class names come from this
/// list and not from a message.
pub(super) const LANGUAGES: [(&str, &str); 76] = [
    ("bash", "sh"),
    ("bat", "bat"),
    ("c", "c"),
    ("c#", "cs"),
    ("c++", "cpp"),
    ("cc", "cpp"),
    ("clj", "clj"),
    ("clojure", "clj"),
    ("cpp", "cpp"),
    ("cs", "cs"),
    ("csharp", "cs"),
    ("css", "css"),
    ("cxx", "cpp"),
    ("d", "d"),
    ("diff", "diff"),
    ("dot", "dot"),
    ("erl", "erl"),
    ("erlang", "erl"),
    ("go", "go"),
    ("golang", "go"),
    ("graphviz", "dot"),
    ("groovy", "groovy"),
    ("h", "c"),
    ("haskell", "hs"),
    ("hpp", "cpp"),
    ("hs", "hs"),
    ("html", "html"),
    ("java", "java"),
    ("javascript", "js"),
    ("js", "js"),
    ("json", "json"),
    ("jsx", "js"),
    ("latex", "tex"),
    ("lisp", "lisp"),
    ("lua", "lua"),
    ("make", "makefile"),
    ("makefile", "makefile"),
    ("markdown", "md"),
    ("matlab", "matlab"),
    ("md", "md"),
    ("ml", "ml"),
    ("objc", "m"),
    ("objective-c", "m"),
    ("ocaml", "ml"),
    ("pas", "pas"),
    ("pascal", "pas"),
    ("patch", "diff"),
    ("perl", "pl"),
    ("php", "php"),
    ("pl", "pl"),
    ("py", "py"),
    ("python", "py"),
    ("r", "r"),
    ("rb", "rb"),
    ("rs", "rs"),
    ("rst", "rst"),
    ("ruby", "rb"),
    ("rust", "rs"),
    ("scala", "scala"),
    ("sh", "sh"),
    ("shell", "sh"),
    ("sql", "sql"),
    ("svg", "xml"),
    ("tcl", "tcl"),
    ("tex", "tex"),
    ("textile", "textile"),
    ("ts", "js"),
    ("tsx", "js"),
    ("typescript", "js"),
    ("xhtml", "html"),
    ("xml", "xml"),
    ("xsl", "xml"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("zsh", "sh"),
    ("jsonc", "json"),
];

/// A language that can be highlighted.
#[derive(Clone, Copy)]
pub(super) struct Language {
    /// In [`LANGUAGES`].
    index: usize,
    /// The word as listed, fit for a class name.
    name: &'static str,
    /// What the grammar is found by.
    token: &'static str,
}

/// Whether a code block names a language that is highlighted. The caller then renders off the async
/// threads, with [`to_html_with_code`](super::to_html_with_code). Cheap: one pass over the lines, nothing is loaded.
pub fn needs_highlighting(source: &str) -> bool {
    source
        .lines()
        .any(|line| fence_info(line).and_then(language_of).is_some())
}

/// The CPU time of this thread that the code of a message may still take.
pub(super) struct Budget {
    ends_at: Duration,
}

impl Budget {
    pub(super) fn new(time: Duration) -> Self {
        Self {
            ends_at: thread_time() + time,
        }
    }

    fn is_spent(&self) -> bool {
        thread_time() >= self.ends_at
    }

    /// Adds the time that the first use of a language takes.
    fn allow_first_use(&mut self, language: Language) {
        static IS_USED: [AtomicBool; LANGUAGES.len()] =
            [const { AtomicBool::new(false) }; LANGUAGES.len()];
        if !IS_USED[language.index].swap(true, Ordering::Relaxed) {
            self.ends_at += FIRST_USE_TIME;
        }
    }
}

/// The CPU time that this thread has used: a busy machine does not make code plain.
pub(super) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Replaces a code block by its highlighted form; one that cannot be highlighted within the budget
/// stays plain, without the words after its fence.
pub(super) fn highlight_block(node: Node<'_>, block: &NodeCodeBlock, budget: &mut Budget) {
    let language = language_of(&block.info);
    let value = match language.and_then(|language| highlight(language, &block.literal, budget)) {
        Some(html) => NodeValue::Raw(html),
        None => {
            let mut plain = block.clone();
            plain.info = language.map_or_else(String::new, |language| language.name.to_owned());
            NodeValue::CodeBlock(Box::new(plain))
        }
    };
    node.data_mut().value = value;
}

/// The grammars, loaded on first use and never freed (a few megabytes).
pub(super) fn syntaxes() -> &'static SyntaxSet {
    static SYNTAXES: OnceLock<SyntaxSet> = OnceLock::new();
    SYNTAXES.get_or_init(SyntaxSet::load_defaults_newlines)
}

/// The code as a highlighted block, or nothing when it is too long, its grammar gives up, or the
/// budget is spent.
pub(super) fn highlight(language: Language, code: &str, budget: &mut Budget) -> Option<String> {
    let too_long = code.len() > MAX_HIGHLIGHT_BYTES
        || code
            .lines()
            .any(|line| line.len() > MAX_HIGHLIGHT_LINE_BYTES);
    if too_long || budget.is_spent() {
        return None;
    }
    budget.allow_first_use(language);
    let set = syntaxes();
    let mut state = ParseState::new(set.find_syntax_by_token(language.token)?);
    let mut stack = ScopeStack::new();
    let mut spans = Spans::default();
    for line in LinesWithEndings::from(code) {
        let mut done = 0;
        for (position, operation) in state.parse_line(line, set).ok()? {
            spans.push(class_of(&stack), line.get(done..position)?);
            stack.apply(&operation).ok()?;
            done = position;
        }
        spans.push(class_of(&stack), line.get(done..)?);
        let is_too_large =
            spans.html.len() > MIN_HIGHLIGHT_ALLOWED + code.len() * MAX_HIGHLIGHT_GROWTH;
        if is_too_large || budget.is_spent() {
            return None;
        }
    }
    let name = language.name;
    let html = spans.finish();
    Some(format!(
        "<pre><code class=\"{LANGUAGE_PREFIX}{name}\">{html}</code></pre>\n"
    ))
}

/// The class of text within these scopes: that of the innermost scope that has one.
pub(super) fn class_of(stack: &ScopeStack) -> Option<&'static str> {
    static SCOPES: OnceLock<Vec<(Scope, &'static str)>> = OnceLock::new();
    let scopes = SCOPES.get_or_init(|| {
        CLASSES
            .iter()
            .filter_map(|&(name, class)| Some((Scope::new(name).ok()?, class)))
            .collect()
    });
    stack.scopes.iter().rev().find_map(|inner| {
        scopes
            .iter()
            .find_map(|&(outer, class)| outer.is_prefix_of(*inner).then_some(class))
    })
}

/// HTML of code being highlighted: neighbours of the same class share a span, spans never nest.
#[derive(Default)]
pub(super) struct Spans {
    html: String,
    open: Option<&'static str>,
}

impl Spans {
    /// Adds code in a class, or in none. White space has no colour, so it opens no span.
    fn push(&mut self, class: Option<&'static str>, code: &str) {
        if code.is_empty() {
            return;
        }
        if class != self.open && !code.trim().is_empty() {
            self.close();
            if let Some(class) = class {
                self.html.extend(["<span class=\"", class, "\">"]);
            }
            self.open = class;
        }
        for character in code.chars() {
            match character {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                _ => self.html.push(character),
            }
        }
    }

    /// Ends the open span, if any.
    fn close(&mut self) {
        if self.open.take().is_some() {
            self.html.push_str("</span>");
        }
    }

    /// The finished HTML.
    fn finish(mut self) -> String {
        self.close();
        self.html
    }
}

/// The language named by the words after a fence, if it is one of ours.
pub(super) fn language_of(info: &str) -> Option<Language> {
    let word = info
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | ':'))
        .next()?;
    let index = LANGUAGES
        .iter()
        .position(|(name, _)| name.eq_ignore_ascii_case(word))?;
    let (name, token) = LANGUAGES[index];
    Some(Language { index, name, token })
}

/// What follows the fence, if the line opens one: inside quotes and list items too.
pub(super) fn fence_info(line: &str) -> Option<&str> {
    let marker = |c: char| c.is_whitespace() || c.is_ascii_digit() || ">-*+.)".contains(c);
    let rest = line.trim_start_matches(marker);
    ['`', '~'].into_iter().find_map(|fence| {
        let info = rest.trim_start_matches(fence);
        (rest.len() - info.len() >= 3).then(|| info.trim())
    })
}
