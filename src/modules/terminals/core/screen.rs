//! The screen that a program's output makes.

use super::frame::Size;
use super::repeat_clamp::RepeatClamp;
use super::signals::{Signal, Signals};
use super::visible_text::visible;

/// The screen of a terminal. Takes output in pieces that end anywhere.
pub(super) struct Screen {
    cells: avt::Terminal,
    signals: Signals,
    repeat_clamp: RepeatClamp,
    /// The beginning of a character of UTF-8, at most three bytes.
    incomplete: Vec<u8>,
}

fn cells(size: Size, scrollback: usize) -> avt::Terminal {
    let (cols, rows) = (usize::from(size.cols.max(1)), usize::from(size.rows.max(1)));
    avt::Terminal::with_scrollback(cols, rows, Some(scrollback)).expect("neither is zero")
}

impl Screen {
    /// A screen without history: viewers keep their own.
    pub(super) fn new(size: Size) -> Self {
        Self::with_scrollback(size, 0)
    }

    /// A screen that keeps so many rows that have scrolled away.
    pub(super) fn with_scrollback(size: Size, rows: usize) -> Self {
        Self {
            cells: cells(size, rows),
            signals: Signals::default(),
            repeat_clamp: RepeatClamp::default(),
            incomplete: Vec::new(),
        }
    }

    pub(super) fn size(&self) -> Size {
        let (cols, rows) = self.cells.size();
        Size::new(cols as u16, rows as u16)
    }

    pub(super) fn cells(&self) -> &avt::Terminal {
        &self.cells
    }

    /// Bytes that are no UTF-8 become U+FFFD.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let joined;
        let mut rest = match self.incomplete.is_empty() {
            true => bytes,
            false => {
                self.incomplete.extend_from_slice(bytes);
                joined = std::mem::take(&mut self.incomplete);
                &joined
            }
        };
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => return self.draw(text),
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    self.draw(std::str::from_utf8(valid).unwrap_or_default());
                    let Some(wrong) = error.error_len() else {
                        self.incomplete = invalid.to_vec();
                        return;
                    };
                    self.draw("\u{fffd}");
                    rest = &invalid[wrong..];
                }
            }
        }
    }

    fn draw(&mut self, text: &str) {
        let (cols, rows) = self.cells.size();
        let cells = u32::try_from(cols * rows).unwrap_or(u32::MAX);
        let shown = visible(text);
        let clamped = self.repeat_clamp.clamp(&shown, cells);
        self.cells.feed(&*clamped);
        self.signals.feed(text);
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.cells
            .resize(usize::from(size.cols), usize::from(size.rows));
    }

    /// What draws the same screen on a new terminal of the same size, and brings it into the same
    /// state: the next byte of output continues from there.
    pub(super) fn dump(&self) -> Vec<u8> {
        let mut dump = String::from("\x1bc");
        dump.push_str(&self.signals.dump());
        // Last: it ends within an escape sequence if the output does.
        dump.push_str(&as_xterm_reads(&self.cells.dump()));
        let mut dump = dump.into_bytes();
        dump.extend(&self.incomplete);
        dump
    }

    pub(super) fn title(&self) -> &str {
        self.signals.title()
    }

    pub(super) fn take_signals(&mut self) -> Vec<Signal> {
        self.signals.take()
    }

    /// The lines that are shown, without blanks at their ends, and without empty lines below.
    pub(super) fn text(&self) -> String {
        let lines = self.cells.screen().visible_lines();
        let lines: Vec<String> = lines
            .map(|line| line.text().trim_end().to_owned())
            .collect();
        lines.join("\n").trim_end().to_owned()
    }
}

/// The same with `38;2;r;g;b` for the colours that are written `38:2:r:g:b`: xterm takes the first
/// number of the latter for that of a colour space. For the screen bold and faint take turns, for
/// xterm they add up: the other one is ended first.
fn as_xterm_reads(dump: &str) -> String {
    let mut out = String::with_capacity(dump.len());
    let mut parts = dump.split("\x1b[");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|letter: char| !matches!(letter, '0'..='9' | ';' | ':'));
        let (params, rest) = part.split_at(end.unwrap_or(part.len()));
        out.push_str("\x1b[");
        match rest.starts_with('m') {
            true => {
                let params = params.split(';').map(|param| match param {
                    "1" => "22;1".to_owned(),
                    "2" => "22;2".to_owned(),
                    param => param.replace(':', ";"),
                });
                out.push_str(&params.collect::<Vec<_>>().join(";"));
            }
            false => out.push_str(params),
        }
        out.push_str(rest);
    }
    out
}
