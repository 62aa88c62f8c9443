//! Splitting markdown.

use super::border::hard;
use super::split::border;

/// The least limit of [`split_markdown`]: below it, a code fence and its content do not fit.
pub const MIN_MARKDOWN_LIMIT: usize = 32;

/// Splits markdown into pieces of at most `limit` characters (not bytes) between its lines, best at an empty
/// line. A code fence that reaches over a border is closed before it and opened again behind it. A line that is
/// longer than the limit is cut as [`split`](super::split()) does it.
///
/// A limit below [`MIN_MARKDOWN_LIMIT`] counts as that. Tables and lists may be cut between their lines.
///
/// ```
/// use qq_model::text::split_markdown;
///
/// let text = format!("```rust\n{}```", "let number = 1;\n".repeat(4));
/// let pieces = split_markdown(&text, 48);
/// assert_eq!(pieces[0], "```rust\nlet number = 1;\nlet number = 1;\n```");
/// assert_eq!(pieces[1], pieces[0]);
/// ```
#[must_use]
pub fn split_markdown(text: &str, limit: usize) -> Vec<String> {
    let mut splitter = Splitter {
        limit: limit.max(MIN_MARKDOWN_LIMIT),
        pieces: Vec::new(),
        lines: Vec::new(),
        size: 0,
        opened_with: None,
        fence: None,
    };
    for line in text.lines() {
        splitter.line(line);
    }
    splitter.flush(splitter.lines.len());
    splitter.pieces
}

/// An open code fence.
#[derive(Clone, Copy)]
struct Fence<'a> {
    /// The fence's own characters.
    mark: &'a str,
    /// The line that opens it again.
    opening: &'a str,
}

impl<'a> Fence<'a> {
    fn of(line: &'a str, limit: usize) -> Option<Self> {
        let trimmed = line.trim_start();
        let first = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let len = trimmed.len() - trimmed.trim_start_matches(first).len();
        // Backticks in the rest of the line make it inline code.
        if len < 3 || (first == '`' && trimmed[len..].contains('`')) {
            return None;
        }
        let mark = &trimmed[..len];
        let fits = chars(trimmed) + len + 2 <= limit / 2;
        Some(Self {
            mark,
            opening: if fits { trimmed } else { mark },
        })
    }

    fn is_closed_by(self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.mark.len()
            && line.starts_with(self.mark)
            && line.chars().all(|c| self.mark.starts_with(c))
    }

    /// Too long to be written twice in one piece.
    fn is_too_long(self, limit: usize) -> bool {
        self.mark.len() * 2 + 2 > limit / 2
    }
}

struct Splitter<'a> {
    limit: usize,
    pieces: Vec<String>,
    /// The lines of the next piece, each with the fence that is open behind it.
    lines: Vec<(&'a str, Option<Fence<'a>>)>,
    /// The characters of `lines` with a line break each.
    size: usize,
    /// The fence that the next piece opens again.
    opened_with: Option<Fence<'a>>,
    /// The fence that is open behind the last line.
    fence: Option<Fence<'a>>,
}

impl<'a> Splitter<'a> {
    fn line(&mut self, line: &'a str) {
        let after = match self.fence {
            Some(fence) if fence.is_closed_by(line) => None,
            Some(fence) => Some(fence),
            None => Fence::of(line, self.limit).filter(|fence| !fence.is_too_long(self.limit)),
        };
        while self.needs(line, after) > self.limit && !self.lines.is_empty() {
            self.flush(self.best_border());
        }
        let mut rest = line;
        while self.needs(rest, after) > self.limit {
            let room = self.limit.saturating_sub(self.needs("", after)).max(1);
            let end = if self.fence.is_some() {
                hard(rest, room)
            } else {
                border(rest, room)
            };
            if end >= rest.len() {
                break;
            }
            let (head, tail) = rest.split_at(end);
            self.push(head, self.fence);
            self.flush(self.lines.len());
            rest = if self.fence.is_some() {
                tail
            } else {
                tail.trim_start()
            };
        }
        self.push(rest, after);
        self.fence = after;
    }

    fn push(&mut self, line: &'a str, after: Option<Fence<'a>>) {
        self.size += chars(line) + 1;
        self.lines.push((line, after));
    }

    /// How many characters a piece with this line as well would have, closed.
    fn needs(&self, line: &str, after: Option<Fence<'a>>) -> usize {
        let opening = self.opened_with.map_or(0, |fence| chars(fence.opening) + 1);
        let closing = after.map_or(0, |fence| chars(fence.mark) + 1);
        opening + self.size + chars(line) + closing
    }

    /// How many lines the next piece takes: up to the last empty line of its second half, or all.
    fn best_border(&self) -> usize {
        let mut size = 0;
        let mut best = self.lines.len();
        for (index, (line, fence)) in self.lines.iter().enumerate() {
            if index > 0 && line.trim().is_empty() && fence.is_none() && size * 2 >= self.size {
                best = index;
            }
            size += chars(line) + 1;
        }
        best
    }

    /// Makes a piece of the first `count` lines.
    fn flush(&mut self, count: usize) {
        let mut piece = String::new();
        let opened = self.opened_with.take();
        let behind = match count.checked_sub(1) {
            Some(last) => self.lines[last].1,
            None => opened,
        };
        for (index, (line, _)) in self.lines.drain(..count).enumerate() {
            if index == 0
                && let Some(fence) = opened
            {
                piece.push_str(fence.opening);
                piece.push('\n');
            }
            if index > 0 {
                piece.push('\n');
            }
            piece.push_str(line);
            self.size -= chars(line) + 1;
        }
        if let Some(fence) = behind
            && count > 0
        {
            piece.push('\n');
            piece.push_str(fence.mark);
        }
        self.opened_with = behind;
        if behind.is_none() {
            // Empty lines at a border outside code mean nothing.
            while self
                .lines
                .first()
                .is_some_and(|(line, _)| line.trim().is_empty())
            {
                let (line, _) = self.lines.remove(0);
                self.size -= chars(line) + 1;
            }
        }
        let piece = piece.trim_end_matches('\n');
        if !piece.trim().is_empty() {
            self.pieces.push(piece.to_owned());
        }
    }
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether every fence of a piece is closed inside it.
    fn is_balanced(piece: &str) -> bool {
        let mut open: Option<Fence<'_>> = None;
        for line in piece.lines() {
            open = match open {
                Some(fence) if fence.is_closed_by(line) => None,
                Some(fence) => Some(fence),
                None => Fence::of(line, usize::MAX),
            };
        }
        open.is_none()
    }

    #[test]
    fn empty_lines_are_the_best_borders() {
        let text = format!("{}\n\n{}\n{}", "a".repeat(20), "b".repeat(8), "c".repeat(8));
        assert_eq!(
            split_markdown(&text, 32),
            [
                "a".repeat(20),
                format!("{}\n{}", "b".repeat(8), "c".repeat(8))
            ]
        );
    }

    #[test]
    fn code_keeps_its_indentation_and_language() {
        let text = format!("# t\n```py\n{}```\nend", "    x = 1\n".repeat(6));
        let pieces = split_markdown(&text, 40);
        assert!(pieces.len() > 1);
        assert!(pieces[1].starts_with("```py\n    x = 1\n"), "{pieces:?}");
        assert!(pieces.iter().all(|piece| is_balanced(piece)));
        assert_eq!(
            pieces.concat().matches("    x = 1").count(),
            6,
            "{pieces:?}"
        );
        assert!(pieces.last().unwrap().ends_with("end"));
    }

    #[test]
    fn a_fence_that_is_never_closed_is_closed() {
        let pieces = split_markdown("```\ncode", 100);
        assert_eq!(pieces, ["```\ncode\n```"]);
    }

    #[test]
    fn short_markdown_is_one_piece_as_it_is() {
        let text = "# a\n\n* b\n* c";
        assert_eq!(split_markdown(text, 100), [text]);
        assert!(split_markdown("\n\n", 100).is_empty());
    }

    proptest! {
        #[test]
        fn pieces_keep_the_limit_and_close_their_fences(
            lines in proptest::collection::vec("(```[a-z]{0,6}|~~~|```|    x|# [a-z]{1,8}|[a-z ]{0,60}|[\\u4e00-\\u4e20]{0,50}|)", 0..24),
            limit in 0_usize..80,
        ) {
            let text = lines.join("\n");
            let pieces = split_markdown(&text, limit);
            for piece in &pieces {
                prop_assert!(piece.chars().count() <= limit.max(MIN_MARKDOWN_LIMIT), "{piece:?}");
                prop_assert!(is_balanced(piece), "{piece:?}");
                prop_assert!(!piece.trim().is_empty());
            }
            let letters = |text: &str| text.chars().filter(|c| *c >= '\u{4e00}').count();
            prop_assert_eq!(letters(&pieces.concat()), letters(&text));
        }
    }
}
