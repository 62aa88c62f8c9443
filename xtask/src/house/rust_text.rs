//! Rust source as tokens, just enough to tell code from comments and string literals.

/// A piece of code. Comments, white space, numbers and character literals are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Word(&'a str),
    /// A string literal of any kind, as written between its quotes.
    Text(&'a str),
    Sign(char),
}

/// A piece and the line it begins on, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) line: usize,
    pub(super) piece: Piece<'a>,
}

/// Splits source text into tokens. Text that is not Rust gives some tokens too, never a panic.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut scanner = Scanner {
        rest: source,
        line: 1,
    };
    let mut tokens = Vec::new();
    while !scanner.rest.is_empty() {
        let line = scanner.line;
        if let Some(piece) = scanner.next_piece() {
            tokens.push(Token { line, piece });
        }
    }
    tokens
}

/// The tokens without items that are compiled for tests only (`#[cfg(test)]`).
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    const MARK: [Piece<'_>; 7] = [
        Piece::Sign('#'),
        Piece::Sign('['),
        Piece::Word("cfg"),
        Piece::Sign('('),
        Piece::Word("test"),
        Piece::Sign(')'),
        Piece::Sign(']'),
    ];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        let marked = rest.len() >= MARK.len()
            && rest
                .iter()
                .zip(MARK)
                .all(|(token, piece)| token.piece == piece);
        if marked {
            rest = after_item(&rest[MARK.len()..]);
        } else {
            kept.push(*first);
            rest = after;
        }
    }
    kept
}

/// The tokens without `#[doc = "..."]` attributes, which are documentation.
pub(super) fn without_docs<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept: Vec<Token<'a>> = Vec::new();
    for token in tokens {
        let is_doc = matches!(token.piece, Piece::Text(_))
            && matches!(
                kept.as_slice(),
                [
                    ..,
                    Token {
                        piece: Piece::Word("doc"),
                        ..
                    },
                    Token {
                        piece: Piece::Sign('='),
                        ..
                    }
                ]
            );
        if !is_doc {
            kept.push(*token);
        }
    }
    kept
}

/// What follows the item that `tokens` begin with: past its body, or past its semicolon.
fn after_item<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.piece {
            Piece::Sign('{' | '(' | '[') => depth += 1,
            Piece::Sign(')' | ']') => depth = depth.saturating_sub(1),
            Piece::Sign('}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return &tokens[index + 1..];
                }
            }
            Piece::Sign(';') if depth == 0 => return &tokens[index + 1..],
            _ => {}
        }
    }
    &[]
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Scanner<'a> {
    /// Takes what comes next; `None` for what is no token.
    fn next_piece(&mut self) -> Option<Piece<'a>> {
        let first = self.rest.chars().next()?;
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(end);
            None
        } else if self.rest.starts_with("/*") {
            self.skip_block_comment();
            None
        } else if first == '"' {
            Some(self.quoted(1))
        } else if let Some(prefix) = self.literal_prefix() {
            Some(prefix)
        } else if first == '\'' {
            self.skip_quote();
            None
        } else if is_word(first) {
            let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            let word = self.take(end);
            (!first.is_ascii_digit()).then_some(Piece::Word(word))
        } else {
            self.take(first.len_utf8());
            (!first.is_whitespace()).then_some(Piece::Sign(first))
        }
    }

    /// Takes `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
            } else if let Some(next) = self.rest.chars().next() {
                self.take(next.len_utf8());
            } else {
                return;
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// A string literal with a prefix: `b"`, `c"`, `r"`, `r#"`, `br"`, `cr##"`, ...
    fn literal_prefix(&mut self) -> Option<Piece<'a>> {
        let letters = ["br", "cr", "b", "c", "r"].into_iter().find(|letters| {
            self.rest
                .strip_prefix(letters)
                .is_some_and(|after| after.starts_with(['"', '#']))
        })?;
        let after = &self.rest[letters.len()..];
        let hashes = after.len() - after.trim_start_matches('#').len();
        if !after[hashes..].starts_with('"') {
            return None;
        }
        let opening = letters.len() + hashes + 1;
        if letters.ends_with('r') {
            Some(self.raw(opening, hashes))
        } else if hashes == 0 {
            Some(self.quoted(opening))
        } else {
            None
        }
    }

    /// A literal with escapes, after `opening` bytes of prefix and quote.
    fn quoted(&mut self, opening: usize) -> Piece<'a> {
        self.take(opening);
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let text = self.take(end.unwrap_or(self.rest.len()));
        self.take(usize::from(end.is_some()));
        Piece::Text(text)
    }

    /// A literal without escapes, closed by a quote and `hashes` hash signs.
    fn raw(&mut self, opening: usize, hashes: usize) -> Piece<'a> {
        self.take(opening);
        let closing = format!("\"{}", "#".repeat(hashes));
        let end = self.rest.find(&closing);
        let text = self.take(end.unwrap_or(self.rest.len()));
        self.take(end.map_or(0, |_| closing.len()));
        Piece::Text(text)
    }

    /// A character literal, or the quote of a lifetime.
    fn skip_quote(&mut self) {
        self.take(1);
        let mut chars = self.rest.chars();
        match (chars.next(), chars.next()) {
            (Some('\\'), Some(escaped)) => {
                self.take(1 + escaped.len_utf8());
                let end = self.rest.find('\'').map_or(0, |end| end + 1);
                self.take(end);
            }
            (Some(only), Some('\'')) => {
                self.take(only.len_utf8() + 1);
            }
            _ => {}
        }
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        tokens(source)
            .iter()
            .filter_map(|token| match token.piece {
                Piece::Text(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    fn words(tokens: &[Token<'_>]) -> Vec<String> {
        tokens
            .iter()
            .filter_map(|token| match token.piece {
                Piece::Word(word) => Some(word.to_owned()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn literals_of_every_kind_are_found() {
        assert_eq!(texts(r#"f("a", b"b", c"c")"#), ["a", "b", "c"]);
        assert_eq!(
            texts(r##"(r"a\", r#"b"b"#, br#"c"#)"##),
            ["a\\", "b\"b", "c"]
        );
        assert_eq!(texts(r#""a\"b\\" "c""#), [r#"a\"b\\"#, "c"]);
        assert_eq!(texts("\"open"), ["open"]);
    }

    #[test]
    fn comments_lifetimes_and_characters_hold_no_literal() {
        assert!(texts("// \"a\"\n/// \"b\"\n//! \"c\"").is_empty());
        assert!(texts("/* \"a\" /* \"b\" */ \"c\" */").is_empty());
        assert_eq!(
            texts("'\"' \"a\" '\\'' \"b\" '\\u{22}' \"c\""),
            ["a", "b", "c"]
        );
        assert_eq!(texts("fn f<'a>(x: &'a str) { g(\"a\") }"), ["a"]);
        assert_eq!(texts("r#type(\"a\"); bar(\"b\")"), ["a", "b"]);
        assert!(texts("/* open").is_empty());
    }

    #[test]
    fn lines_are_counted_through_comments_and_literals() {
        let source = "/* \n */ \"two\"\n\"a\nb\" \"four\"";
        let lines: Vec<usize> = tokens(source).iter().map(|token| token.line).collect();
        assert_eq!(lines, [2, 3, 4]);
    }

    #[test]
    fn items_for_tests_are_left_out_and_nothing_else() {
        let source = "a(); #[cfg(test)] mod tests { fn b() { c(); } } d();
                      #[cfg(test)] use e::{f}; g();
                      #[cfg(not(test))] fn h() {}
                      #[cfg(test)] #[path = \"x\"] mod i; j();";
        let kept = words(&without_tests(&tokens(source)));
        assert_eq!(kept, ["a", "d", "g", "cfg", "not", "test", "fn", "h", "j"]);
    }

    #[test]
    fn documentation_attributes_are_left_out() {
        let source = "#[doc = \"a\"] #[cfg_attr(x, doc = \"b\")] const C: &str = \"c\";";
        let all = tokens(source);
        let kept = without_docs(&all);
        let count = |tokens: &[Token<'_>]| {
            tokens
                .iter()
                .filter(|token| matches!(token.piece, Piece::Text(_)))
                .count()
        };
        assert_eq!((count(&all), count(&kept)), (3, 1));
    }
}
