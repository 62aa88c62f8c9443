//! Lists in pages with a cursor.

use serde_json::Value;

use super::Call;
use super::error::Refusal;
use super::reads::limit;

/// A page of a list, and the cursor of the next one; empty at the end.
pub(super) fn page(
    call: &Call,
    all: &[Value],
    default: usize,
    most: usize,
    code: i64,
) -> Result<(Vec<Value>, String), Box<Refusal>> {
    let limit = limit(call, default, most)?;
    let start: usize = match call.query("cursor").filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => cursor.parse().map_err(|_| {
            Refusal::value(code, "cursor must be the next_cursor of the page before")
        })?,
        None => 0,
    };
    let end = start.saturating_add(limit).min(all.len());
    let page = all.get(start..end).unwrap_or_default().to_vec();
    let next = if end < all.len() {
        end.to_string()
    } else {
        String::new()
    };
    Ok((page, next))
}
