//! The table at the end of a run.

use std::fmt::Write as _;
use std::time::Duration;

use super::Outcome;

/// One step and what became of it.
#[derive(Debug)]
pub(crate) struct Row {
    step: &'static str,
    outcome: Outcome,
    time: Option<Duration>,
}

impl Row {
    pub(crate) fn new(step: &'static str, outcome: Outcome) -> Self {
        Self {
            step,
            outcome,
            time: None,
        }
    }

    pub(crate) fn took(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    pub(crate) fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// The row as one line of text.
    pub(crate) fn line(&self) -> String {
        let (result, note) = match &self.outcome {
            Outcome::Passed => ("ok", String::new()),
            Outcome::Failed(why) => ("FAILED", first_line(why)),
            Outcome::Skipped(why) | Outcome::Foregone(why) => ("skipped", first_line(why)),
            Outcome::Within(step) => ("with", format!("runs in step `{step}`")),
        };
        let time = self.time.map(clock).unwrap_or_default();
        format!("{:<12} {result:<8} {time:>9}  {note}", self.step)
            .trim_end()
            .to_owned()
    }
}

/// The whole table, how to repeat what failed, and a closing count.
pub(crate) fn table(rows: &[Row], total: Duration) -> String {
    let mut text = format!("{:<12} {:<8} {:>9}\n", "step", "result", "time");
    for row in rows {
        let _ = writeln!(text, "{}", row.line());
    }
    let _ = writeln!(text, "{:<12} {:<8} {:>9}\n", "total", "", clock(total));
    for row in rows.iter().filter(|row| row.failed()) {
        let _ = writeln!(text, "again: cargo xtask test --only {}", row.step);
    }
    let count =
        |wanted: fn(&Outcome) -> bool| rows.iter().filter(|row| wanted(&row.outcome)).count();
    let _ = writeln!(
        text,
        "steps: {} passed, {} failed, {} skipped",
        count(|outcome| matches!(outcome, Outcome::Passed)),
        count(|outcome| matches!(outcome, Outcome::Failed(_))),
        count(|outcome| matches!(outcome, Outcome::Skipped(_) | Outcome::Foregone(_))),
    );
    text
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// `0.4 s`, `12.3 s`, `3 m 05 s`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} m {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_passed_what_failed_and_how_to_repeat_it() {
        let rows = [
            Row::new("fmt", Outcome::Passed).took(Duration::from_millis(420)),
            Row::new("clippy", Outcome::Failed("bad\ndetails".into()))
                .took(Duration::from_secs(185)),
            Row::new("browser", Outcome::Within("tests")),
            Row::new("conformance", Outcome::Skipped("python3 not found".into())),
        ];
        let text = table(&rows, Duration::from_secs(186));
        let expected = "\
step         result        time
fmt          ok           0.4 s
clippy       FAILED    3 m 05 s  bad
browser      with                runs in step `tests`
conformance  skipped             python3 not found
total                  3 m 06 s

again: cargo xtask test --only clippy
steps: 1 passed, 1 failed, 1 skipped
";
        assert_eq!(text, expected);
    }
}
