//! What real programs write makes the same screen on the server as in xterm.js, cell by cell: from
//! their output, and from the screen that somebody gets who joins.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tidepool::modules::terminals::core::{Frame, Size, Terminal};
use unicode_normalization::UnicodeNormalization;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::TestServer;

const COLS: usize = 80;
const ROWS: usize = 24;

/// Reads a screen of xterm.js: for each cell its character, width, colours and style.
const READ_SCREEN: &str = r"
    const color = (isDefault, isRgb, value) =>
      isDefault ? '' : isRgb ? '#' + value.toString(16).padStart(6, '0') : String(value);
    const read = (terminal) => {
      const { active } = terminal.buffer;
      const rows = [];
      for (let y = 0; y < terminal.rows; y++) {
        const line = active.getLine(active.baseY + y);
        const row = [];
        for (let x = 0; x < terminal.cols; x++) {
          const cell = line.getCell(x);
          const flags = ['Bold', 'Dim', 'Italic', 'Underline', 'Inverse', 'Strikethrough'];
          row.push([
            cell.getWidth() === 0 ? '' : cell.getChars() || ' ',
            color(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor()),
            color(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor()),
            flags.filter((name) => cell['is' + name]()).map((name) => name[2]).join(''),
          ]);
        }
        rows.push(row);
      }
      return { rows, cursor: [Math.min(active.cursorX, terminal.cols - 1), active.cursorY] };
    };";

/// Where xterm.js is, beside what the page has of ours.
const ADDRESS: &str = "document.querySelector('script[src*=\"js/app.js\"]').src\
    .replace('js/app.js', 'vendor/xterm.js')";

/// Where the widths of characters are that pages use.
const WIDTHS: &str = "document.querySelector('script[src*=\"js/app.js\"]').src\
    .replace('js/app.js', 'js/terminals/widths.js')";

type Cell = [String; 4];

fn color(color: Option<avt::Color>) -> String {
    match color {
        None => String::new(),
        Some(avt::Color::Indexed(index)) => index.to_string(),
        Some(avt::Color::RGB(rgb)) => format!("#{:02x}{:02x}{:02x}", rgb.r, rgb.g, rgb.b),
    }
}

/// The screen as the server has it.
fn cells(terminal: &Terminal) -> Vec<Vec<Cell>> {
    let lines = terminal.cells().screen().visible_lines();
    let cell = |cell: &avt::Cell| {
        let pen = cell.pen();
        let flags = [
            // The third letters of their names.
            (pen.is_bold(), 'l'),
            (pen.is_faint(), 'm'),
            (pen.is_italic(), 'a'),
            (pen.is_underline(), 'd'),
            (pen.is_inverse(), 'v'),
            (pen.is_strikethrough(), 'r'),
        ];
        let set = flags.iter().filter(|(is_set, _)| *is_set);
        let text = match cell.width() {
            0 => String::new(),
            _ => cell.char().to_string(),
        };
        [
            text,
            color(pen.foreground()),
            color(pen.background()),
            set.map(|(_, letter)| *letter).collect(),
        ]
    };
    let rows = lines.map(|line| line.cells().iter().map(cell).collect());
    rows.collect()
}

/// What nobody sees is the same: the colour of a blank, and the look of a wide character's tail.
fn normal(cell: &Cell) -> Cell {
    let [text, foreground, background, flags] = cell;
    // A cell has one character in the server's screen: marks that join it are left out.
    let text: String = text.nfd().take(1).collect();
    if text.is_empty() {
        return Cell::default();
    }
    let is_blank = text == " " && !flags.contains('v');
    let shown = |flag: &char| !is_blank || matches!(flag, 'd' | 'r');
    [
        text,
        match is_blank {
            true => String::new(),
            false => foreground.clone(),
        },
        background.clone(),
        flags.chars().filter(shown).collect(),
    ]
}

/// How many cells differ, and the first of them.
fn difference(ours: &[Vec<Cell>], theirs: &Value) -> Option<String> {
    let theirs: Vec<Vec<Cell>> = serde_json::from_value(theirs.clone()).expect("cells");
    let mut differing = Vec::new();
    for (y, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!((ours.len(), theirs.len()), (COLS, COLS));
        for (x, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            if normal(ours) != normal(theirs) {
                differing.push(format!("({x},{y}) {ours:?}, xterm.js has {theirs:?}"));
            }
        }
    }
    let first = differing.iter().take(4).cloned().collect::<Vec<_>>();
    (!differing.is_empty()).then(|| format!("{} cells: {}", differing.len(), first.join("; ")))
}

fn corpus() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/terminal");
    let files = std::fs::read_dir(folder).expect("there is a corpus");
    let recordings = files.filter_map(|file| {
        let path = file.expect("a file").path();
        let name = path.file_name()?.to_str()?.strip_suffix(".bin")?.to_owned();
        Some((name, std::fs::read(&path).expect("it is read")))
    });
    recordings.collect()
}

/// Programs whose screens differ, and why. See docs/terminals.md.
const EXCEPTIONS: [(&str, &str); 2] = [
    (
        "gcc",
        "xterm.js underlines links (OSC 8), of which the server keeps the text",
    ),
    (
        "vttest-sets",
        "the British character set, and two signs of the drawing set that look alike",
    ),
];

#[tokio::test]
async fn screens_of_real_programs_equal_those_of_xterm() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.go("/").await;
    let corpus = corpus();
    assert!(corpus.len() >= 30, "{} programs", corpus.len());
    let mut screens = serde_json::Map::new();
    let mut expected = BTreeMap::new();
    for (name, output) in &corpus {
        let mut terminal = Terminal::new(Size::new(COLS as u16, ROWS as u16));
        // In pieces that end anywhere, as it comes.
        for piece in output.chunks(1_021) {
            terminal.write(piece);
        }
        let Frame::Snapshot { bytes, .. } = terminal.snapshot() else {
            panic!("no snapshot");
        };
        let sent = [output, &bytes].map(|bytes| BASE64_STANDARD.encode(bytes));
        screens.insert(name.clone(), json!(sent));
        expected.insert(name.clone(), terminal);
    }
    let script = format!(
        "(async () => {{ {READ_SCREEN}
            const {{ Terminal }} = await import({ADDRESS});
            const {{ useWidths }} = await import({WIDTHS});
            const screens = {};
            const shown = {{}};
            for (const [name, sent] of Object.entries(screens)) {{
              shown[name] = await Promise.all(sent.map(async (text) => {{
                const options = {{ cols: {COLS}, rows: {ROWS}, allowProposedApi: true }};
                const terminal = new Terminal(options);
                useWidths(terminal);
                const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
                await new Promise((done) => terminal.write(bytes, done));
                const screen = read(terminal);
                terminal.dispose();
                return screen;
              }}));
            }}
            return shown;
        }})()",
        Value::Object(screens),
    );
    let shown = browser.js(&script).await;
    let mut problems = Vec::new();
    for (name, terminal) in &expected {
        let ours = cells(terminal);
        let position = terminal.cells().cursor_position();
        for (what, index) in [("output", 0), ("snapshot", 1)] {
            let theirs = &shown[name][index];
            let differs = difference(&ours, &theirs["rows"]);
            if let Some(difference) = differs {
                problems.push((name.clone(), format!("{name}, {what}: {difference}")));
            }
            let cursor = json!([position.col.min(COLS - 1), position.row]);
            if theirs["cursor"] != cursor {
                let text = format!(
                    "{name}, {what}: the cursor is at {cursor}, {}",
                    theirs["cursor"]
                );
                problems.push((name.clone(), text));
            }
        }
    }
    let is_known = |name: &str| EXCEPTIONS.iter().any(|(known, _)| *known == name);
    let unknown: Vec<&str> = problems
        .iter()
        .filter(|(name, _)| !is_known(name))
        .map(|(_, problem)| problem.as_str())
        .collect();
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    for (name, why) in EXCEPTIONS {
        let still = problems.iter().any(|(problem, _)| problem == name);
        assert!(still, "{name} does not differ any more: {why}");
    }
}
