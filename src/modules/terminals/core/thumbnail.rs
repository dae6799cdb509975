//! The screen as a picture for lists: rows of runs of one colour.

use super::terminal::Terminal;

/// Columns and rows of a thumbnail: the lower left part of a larger screen.
const MAX_THUMBNAIL_COLS: usize = 100;
const MAX_THUMBNAIL_ROWS: usize = 24;

/// Characters of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What is written.
    pub text: String,
    /// A number of the sixteen colours, or the colour of text.
    pub color: Option<u8>,
    /// In bold type.
    pub is_bold: bool,
}

/// The rows that a list shows of a screen.
pub fn thumbnail(terminal: &Terminal) -> Vec<Vec<Run>> {
    let lines = terminal.cells().screen().visible_lines();
    let mut rows: Vec<Vec<Run>> = lines
        .map(|line| {
            let cells = line.cells().iter().filter(|cell| cell.width() > 0);
            let mut runs: Vec<Run> = Vec::new();
            for cell in cells.take(MAX_THUMBNAIL_COLS) {
                let (color, is_bold) = (cell.pen().foreground().map(nearest), cell.pen().is_bold());
                match runs.last_mut() {
                    Some(run) if run.color == color && run.is_bold == is_bold => {
                        run.text.push(cell.char());
                    }
                    _ => runs.push(Run {
                        text: cell.char().to_string(),
                        color,
                        is_bold,
                    }),
                }
            }
            trim_end(&mut runs);
            runs
        })
        .collect();
    while rows.last().is_some_and(Vec::is_empty) {
        rows.pop();
    }
    rows.split_off(rows.len().saturating_sub(MAX_THUMBNAIL_ROWS))
}

fn trim_end(runs: &mut Vec<Run>) {
    while let Some(last) = runs.last_mut() {
        last.text.truncate(last.text.trim_end().len());
        if !last.text.is_empty() {
            return;
        }
        runs.pop();
    }
}

/// The nearest of the sixteen colours that every terminal has.
fn nearest(color: avt::Color) -> u8 {
    let (r, g, b) = match color {
        avt::Color::Indexed(index @ 0..16) => return index,
        avt::Color::Indexed(index @ 232..) => {
            let level = 8 + (index - 232) * 10;
            (level, level, level)
        }
        avt::Color::Indexed(index) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + part * 40 };
            let index = index - 16;
            (level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        avt::Color::RGB(rgb) => (rgb.r, rgb.g, rgb.b),
    };
    let most = r.max(g).max(b);
    let least = r.min(g).min(b);
    if most - least < 40 {
        return match most {
            0..64 => 0,
            64..128 => 8,
            128..200 => 7,
            _ => 15,
        };
    }
    let half = (u16::from(most) + u16::from(least)) / 2;
    let bit = |part: u8| u8::from(u16::from(part) > half);
    let bright = if most > 200 { 8 } else { 0 };
    bit(r) + 2 * bit(g) + 4 * bit(b) + bright
}
