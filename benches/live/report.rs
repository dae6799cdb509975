//! What was measured, as a table or as JSON.

use serde_json::{Value, json};

use crate::file_limit::file_limit;
use crate::machine;
use crate::options::Options;
use crate::process::Used;
use crate::stats::percentile;

/// What a figure counts.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// Milliseconds; less is better.
    Millis,
    /// So many in a second; more is better.
    PerSecond,
    /// KiB of memory; less is better.
    Kib,
    /// Bytes on the wire; less is better.
    Bytes,
    /// Things counted; less is better.
    Count,
    /// Hundredths; less is better.
    Percent,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
pub enum Mark {
    /// The figure itself.
    AtMost(f64),
    /// The figure itself.
    AtLeast(f64),
    /// The figure divided by the baseline's.
    RatioAtMost(f64),
    /// The figure divided by the baseline's.
    RatioAtLeast(f64),
}

/// One side's figures, one for each turn, and what they cost.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The figures.
    pub figures: Vec<f64>,
    /// Processor time, where it was measured.
    pub used: Vec<Used>,
}

impl Side {
    /// Adds a turn.
    pub fn turn(&mut self, figure: f64, used: Option<Used>) {
        self.figures.push(figure);
        self.used.extend(used);
    }

    /// The same from figures of one turn each.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        Self {
            figures: figures.into_iter().collect(),
            used: Vec::new(),
        }
    }

    fn middle(&self) -> Option<f64> {
        let mut figures = self.figures.clone();
        (!figures.is_empty()).then(|| percentile(&mut figures, 50.0))
    }

    /// The middle, and from where to where.
    pub fn text(&self, unit: Unit) -> String {
        let Some(middle) = self.middle() else {
            return "–".to_owned();
        };
        if self.figures.len() == 1 {
            return unit.text(middle);
        }
        let least = self.figures.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self
            .figures
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        format!(
            "{} ({}–{})",
            unit.text(middle),
            unit.number(least),
            unit.number(most)
        )
    }

    fn cost(&self) -> Option<String> {
        let turns = self.used.len() as f64;
        let sum = |of: fn(&Used) -> f64| self.used.iter().map(of).sum::<f64>() / turns;
        (turns > 0.0).then(|| {
            let (server, load) = (
                sum(|used| used.server / used.wall),
                sum(|used| used.load / used.wall),
            );
            let each = sum(|used| used.server / used.units as f64) * 1e6;
            format!("server {server:.2} and load {load:.2} cores, {each:.2} µs of server each")
        })
    }
}

/// A row of the table.
pub struct Line {
    /// What was measured.
    pub what: String,
    /// In what.
    pub unit: Unit,
    /// The server's.
    pub ours: Side,
    /// The baseline's; empty where there is none.
    pub baseline: Side,
    /// What is to be reached.
    pub mark: Option<Mark>,
}

/// The table.
#[derive(Default)]
pub struct Report {
    lines: Vec<Line>,
    notes: Vec<String>,
}

impl Unit {
    fn number(self, value: f64) -> String {
        match self {
            Self::PerSecond if value >= 10_000.0 => format!("{:.0}k", value / 1e3),
            Self::PerSecond | Self::Bytes | Self::Count => format!("{value:.0}"),
            Self::Kib if value >= 1024.0 => format!("{:.1} MiB", value / 1024.0),
            Self::Millis | Self::Kib if value >= 100.0 => format!("{value:.0}"),
            Self::Millis | Self::Kib | Self::Percent => format!("{value:.2}"),
        }
    }

    fn text(self, value: f64) -> String {
        let unit = match self {
            Self::Millis => " ms",
            Self::PerSecond => "/s",
            Self::Kib if value >= 1024.0 => "",
            Self::Kib => " KiB",
            Self::Bytes => " bytes",
            Self::Count => "",
            Self::Percent => " %",
        };
        format!("{}{unit}", self.number(value))
    }
}

impl Line {
    fn ratio(&self) -> Option<f64> {
        Some(self.ours.middle()? / self.baseline.middle()?)
    }

    fn met(&self) -> Option<bool> {
        Some(match self.mark? {
            Mark::AtMost(most) => self.ours.middle()? <= most,
            Mark::AtLeast(least) => self.ours.middle()? >= least,
            Mark::RatioAtMost(most) => self.ratio()? <= most,
            Mark::RatioAtLeast(least) => self.ratio()? >= least,
        })
    }

    fn mark_text(&self) -> String {
        match self.mark {
            None => "–".to_owned(),
            Some(Mark::AtMost(most)) => format!("≤ {}", self.unit.text(most)),
            Some(Mark::AtLeast(least)) => format!("≥ {}", self.unit.text(least)),
            Some(Mark::RatioAtMost(most)) => format!("ratio ≤ {most}"),
            Some(Mark::RatioAtLeast(least)) => format!("ratio ≥ {least}"),
        }
    }

    fn cells(&self) -> [String; 6] {
        let met = match self.met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "–",
        };
        let ratio = self
            .ratio()
            .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        [
            self.what.clone(),
            self.ours.text(self.unit),
            self.baseline.text(self.unit),
            ratio,
            self.mark_text(),
            met.to_owned(),
        ]
    }
}

impl Report {
    /// Adds a row.
    pub fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds a remark under the table.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Prints it.
    pub fn print(&self, options: &Options) {
        println!(
            "{}, {} turns, {} open files a process\n",
            machine::text(),
            options.rounds(),
            file_limit().unwrap_or(0)
        );
        let head = ["what", "tidepool", "baseline", "ratio", "mark", "met"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head)
            .chain(self.lines.iter().map(Line::cells))
            .collect();
        let widths: Vec<usize> = (0..6)
            .map(|cell| {
                rows.iter()
                    .map(|row| row[cell].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for (place, row) in rows.iter().enumerate() {
            let cells: Vec<_> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            println!("{}", cells.join(" | ").trim_end());
            if place == 0 {
                println!(
                    "{}",
                    widths
                        .iter()
                        .map(|width| "-".repeat(*width))
                        .collect::<Vec<_>>()
                        .join("-|-")
                );
            }
        }
        println!(
            "\nmiddle (least–most) of the turns, tidepool and baseline by turns, the load on the \
                same cores"
        );
        for line in &self.lines {
            if let Some(ours) = line.ours.cost() {
                println!(
                    "- {}: {ours}; baseline: {}",
                    line.what,
                    line.baseline.cost().unwrap_or_else(|| "–".to_owned())
                );
            }
        }
        for note in &self.notes {
            println!("- {note}");
        }
        if options.quick {
            println!("- a quick run: the sizes are too small for the figures to mean much");
        }
    }

    /// The same for programs.
    pub fn json(&self, options: &Options) -> Value {
        let side = |side: &Side| {
            let used: Vec<_> = side
                .used
                .iter()
                .map(|used| {
                    json!({ "wall": used.wall, "server": used.server, "load": used.load,
                        "units": used.units })
                })
                .collect();
            json!({ "middle": side.middle(), "turns": side.figures, "seconds": used })
        };
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                json!({
                    "what": line.what, "unit": format!("{:?}", line.unit),
                    "tidepool": side(&line.ours), "baseline": side(&line.baseline),
                    "ratio": line.ratio(), "mark": line.mark_text(), "met": line.met(),
                })
            })
            .collect();
        json!({
            "machine": machine::text(), "turns": options.rounds(),
            "rows": lines, "notes": self.notes, "quick": options.quick,
        })
    }
}
