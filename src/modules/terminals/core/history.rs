//! All that is left of a program's output, as lines of text: what has scrolled away, and the screen.

use std::time::Instant;

use super::frame::{Frame, Size};
use super::screen::Screen;

/// Rows that are kept above the screen.
const MAX_HISTORY_ROWS: usize = 20_000;
/// Bytes that are drawn between two looks at the clock.
const DRAWN_BYTES: usize = 4 << 10;

/// The lines that frames of output make on a terminal of this size. `None` when they are not drawn
/// by the deadline: a few bytes may have much drawn.
pub fn history_lines(size: Size, frames: &[Frame], deadline: Instant) -> Option<Vec<String>> {
    let mut screen = Screen::with_scrollback(size, MAX_HISTORY_ROWS);
    for frame in frames {
        match frame {
            Frame::Output { bytes, .. } => {
                for piece in bytes.chunks(DRAWN_BYTES) {
                    screen.feed(piece);
                    if Instant::now() > deadline {
                        return None;
                    }
                }
            }
            Frame::Resize { size, .. } => screen.resize(*size),
            _ => {}
        }
    }
    let cells = screen.cells();
    let mut lines = cells.primary_screen().text();
    if cells.active_screen_kind() == avt::ScreenKind::Alternate {
        // What a program shows over everything else, such as an editor.
        lines.extend(cells.screen().text());
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    Some(lines)
}
