//! Small tables and figures for a terminal of 80 columns.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A table: a head and rows, columns as wide as their widest cell up to a limit.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(Align, usize)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads; a cell wider than the limit of its column is cut, marked by `…`.
    pub fn new(columns: &[(&str, Align, usize)]) -> Self {
        let heads = columns.iter().map(|(head, ..)| (*head).to_owned()).collect();
        Self { columns: columns.iter().map(|&(_, align, limit)| (align, limit)).collect(), rows: vec![heads] }
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().zip(&self.columns).map(|(cell, (_, limit))| cut(&cell, *limit)).collect();
        self.rows.push(cells);
    }

    /// The table as lines, each with two spaces before it.
    pub fn text(&self) -> String {
        let width = |n: usize| self.rows.iter().filter_map(|r| r.get(n)).map(|c| c.width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::from(" ");
            for ((cell, (align, _)), width) in row.iter().zip(&self.columns).zip(&widths) {
                let pad = " ".repeat(width - cell.width());
                line.push(' ');
                match align {
                    Align::Left => line.extend([cell.as_str(), &pad, " "]),
                    Align::Right => line.extend([&pad, cell.as_str(), " "]),
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn cut(text: &str, width_max: usize) -> String {
    if text.width() <= width_max {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width >= width_max {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 letter`, `2 letters`.
pub fn counted(n: u64, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {word}{s}", count(n))
}

/// `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`: two units at most.
pub fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", span.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_by_thousands() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn columns_line_up_whatever_the_script() {
        let mut table = Table::new(&[("who", Align::Left, 10), ("n", Align::Right, 5)]);
        table.row(["東京".to_owned(), "1".to_owned()]);
        table.row(["a very long name".to_owned(), "20".to_owned()]);
        assert_eq!(table.text(), "  who          n\n  東京         1\n  a very lo…  20\n");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, text) in
            [(0, "0.0 s"), (59, "59 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }
}
