//! Recording: output and changes of the size as lines of asciicast v3, never what was typed.

use std::time::{Duration, Instant};

use serde_json::json;

use super::core::{Frame, Size, Terminal};

/// Bytes of one recording. Past them it ends, and says so.
pub(super) const MAX_RECORDING_BYTES: usize = 16 << 20;
/// Bytes of one stored part.
const PART_BYTES: usize = 64 << 10;
/// What is recorded is stored after so long.
const PART_TIME: Duration = Duration::from_secs(10);

/// The recording of a terminal that is going on.
#[derive(Default)]
pub(super) struct Recorder {
    lines: String,
    /// The number of the next part.
    part: i64,
    /// All bytes so far.
    bytes: usize,
    last: Option<Instant>,
    /// When the first of the lines that are not stored came.
    waits_since: Option<Instant>,
    /// The beginning of a character of UTF-8.
    incomplete: Vec<u8>,
    is_full: bool,
}

impl Recorder {
    /// Goes on with a recording of which this many parts and bytes are stored.
    pub(super) fn resume((part, bytes): (i64, i64)) -> Self {
        Self {
            part,
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            last: (part > 0).then(Instant::now),
            ..Self::default()
        }
    }

    /// Notes what a frame brings that the terminal does not have yet.
    pub(super) fn note(&mut self, terminal: &Terminal, frame: &Frame) {
        if self.is_full {
            return;
        }
        if self.last.is_none() {
            self.begin(frame_size(frame).unwrap_or_else(|| terminal.size()));
        }
        match frame {
            Frame::Output { position, bytes } => {
                let known = terminal.end().saturating_sub(*position);
                let known = usize::try_from(known).unwrap_or(usize::MAX);
                if let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) {
                    self.output(new);
                }
            }
            Frame::Snapshot { size, bytes, .. } => {
                if terminal.size() != *size {
                    self.event("r", &format!("{}x{}", size.cols, size.rows));
                }
                self.output(bytes);
            }
            Frame::Resize { size, .. } if terminal.size() != *size => {
                self.event("r", &format!("{}x{}", size.cols, size.rows));
            }
            Frame::Exit { code, .. } if terminal.exit().is_none() => {
                self.event("x", &code.to_string());
            }
            _ => {}
        }
    }

    fn begin(&mut self, size: Size) {
        self.last = Some(Instant::now());
        let header = json!({
            "version": 3,
            "term": { "cols": size.cols, "rows": size.rows, "type": "xterm-256color" },
        });
        self.line(&header.to_string());
    }

    fn output(&mut self, bytes: &[u8]) {
        self.incomplete.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.incomplete) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.incomplete.len(),
        };
        let rest = self.incomplete.split_off(whole);
        let text = String::from_utf8_lossy(&self.incomplete).into_owned();
        self.incomplete = rest;
        if !text.is_empty() {
            self.event("o", &text);
        }
    }

    fn event(&mut self, kind: &str, data: &str) {
        let now = Instant::now();
        let since = self.last.map_or(0.0, |last| (now - last).as_secs_f64());
        self.last = Some(now);
        let seconds = (since * 1_000.0).round() / 1_000.0;
        let line = json!([seconds, kind, data]).to_string();
        if self.bytes.saturating_add(line.len()) > MAX_RECORDING_BYTES {
            self.is_full = true;
            self.line(&json!([0.0, "m", "the recording is full"]).to_string());
            return;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.waits_since.get_or_insert_with(Instant::now);
        self.bytes += line.len() + 1;
        self.lines.push_str(line);
        self.lines.push('\n');
    }

    /// Takes what is to be stored, with its number: a whole part, or what is left.
    pub(super) fn take(&mut self, is_last: bool) -> Option<(i64, String)> {
        let since = self.waits_since?;
        let is_due = is_last || self.lines.len() >= PART_BYTES || since.elapsed() > PART_TIME;
        is_due.then(|| {
            self.waits_since = None;
            self.part += 1;
            (self.part, std::mem::take(&mut self.lines))
        })
    }
}

fn frame_size(frame: &Frame) -> Option<Size> {
    match frame {
        Frame::Snapshot { size, .. } | Frame::Resize { size, .. } => Some(*size),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recording_has_output_and_sizes_but_no_input() {
        let mut terminal = Terminal::new(Size::new(80, 24));
        let mut recorder = Recorder::default();
        let world = "世".as_bytes();
        let frames = [
            Frame::Output {
                position: 0,
                bytes: b"hi \xe4".to_vec(),
            },
            Frame::Output {
                position: 3,
                bytes: world.to_vec(),
            },
            Frame::Input {
                position: 0,
                bytes: b"secret".to_vec(),
            },
            Frame::Resize {
                position: 6,
                size: Size::new(90, 30),
            },
            Frame::Exit {
                position: 6,
                code: 2,
            },
        ];
        for frame in frames {
            recorder.note(&terminal, &frame);
            terminal.apply(&frame).expect("no gap");
        }
        let (part, lines) = recorder.take(true).expect("lines");
        assert_eq!(part, 1);
        let lines: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines[0]["term"]["cols"], 80);
        let events: Vec<(&str, &str)> = lines[1..]
            .iter()
            .map(|event| (event[1].as_str().unwrap(), event[2].as_str().unwrap()))
            .collect();
        assert_eq!(
            events,
            [("o", "hi "), ("o", "世"), ("r", "90x30"), ("x", "2")]
        );
    }
}
