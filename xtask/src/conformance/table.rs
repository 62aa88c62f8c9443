//! Clients and checks as a table.

use std::fmt::Write as _;

use super::checks::Row;

/// One line for each client, one column for each check, and what failed below.
pub(super) fn render(rows: &[Row]) -> String {
    let mut text = String::new();
    let width = rows
        .iter()
        .map(|row| row.client.len())
        .max()
        .unwrap_or_default()
        .max("client".len());
    if let Some(first) = rows.first() {
        let _ = write!(text, "{:<width$}", "client");
        for check in &first.results {
            let _ = write!(text, "  {:<6}", check.name);
        }
        text = text.trim_end().to_owned();
        text.push('\n');
    }
    for row in rows {
        let mut line = format!("{:<width$}", row.client);
        for check in &row.results {
            let result = match (&check.failure, check.known) {
                (None, _) => "ok",
                (Some(_), Some(_)) => "known",
                (Some(_), None) => "FAILED",
            };
            let column = check.name.len().max(6);
            let _ = write!(line, "  {result:<column$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for row in rows {
        for check in &row.results {
            if let Some(why) = &check.failure {
                let _ = write!(text, "{}: {}: {why}", row.client, check.name);
                if let Some(known) = check.known {
                    let _ = write!(text, " (known: {known})");
                }
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::checks::Check;
    use super::*;

    #[test]
    fn columns_line_up_and_failures_are_explained() {
        let row = |client, failure: Option<&str>, known| Row {
            client,
            known: &[],
            results: vec![
                Check {
                    name: "reconnect",
                    failure: failure.map(str::to_owned),
                    known,
                },
                Check {
                    name: "c2c",
                    failure: None,
                    known: None,
                },
            ],
        };
        let rows = [
            row("one 1.0", None, None),
            row("other 2.0", Some("no session"), None),
            row("third 3.0", Some("late"), Some("it sleeps")),
        ];
        assert!(rows[0].passed() && !rows[1].passed() && rows[2].passed());
        assert_eq!(
            render(&rows),
            "client     reconnect  c2c\n\
             one 1.0    ok         ok\n\
             other 2.0  FAILED     ok\n\
             third 3.0  known      ok\n\
             other 2.0: reconnect: no session\n\
             third 3.0: reconnect: late (known: it sleeps)\n"
        );
    }
}
