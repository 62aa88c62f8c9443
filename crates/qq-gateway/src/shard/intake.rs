//! What comes in, cut into frames.
//!
//! Nearly all that a gateway sends are whole text frames, and they are cut out of the buffer here, for a header of four
//! bytes. Everything else (the answer to the upgrade, control frames, fragments, what breaks the protocol, the end) is
//! left to the WebSocket library, which is lent that one frame: so it always stops where a frame ends.
//!
//! The buffer is small while little comes. When a read fills it, more is waiting, and from then on a read fetches what
//! many small ones would, until nothing is left; the memory for that is given back.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use qq_transport::Connection;
use tokio::io::AsyncReadExt;

/// How much is fetched at once while much comes.
const AHEAD: usize = 128 << 10;

/// A whole text frame begins so.
const TEXT: u8 = 0x81;

pub(super) struct Intake {
    connection: Connection,
    /// What came and belongs to nobody yet.
    buffer: BytesMut,
    /// A text that comes before that.
    put_back: Option<Bytes>,
    /// How much is fetched at once while little comes.
    small: usize,
    /// How much is fetched at once now.
    chunk: usize,
    /// Whether the buffer is to be given back when it is empty.
    is_large: bool,
    max_frame: usize,
    stage: Stage,
    /// A message of several frames has begun, and not ended.
    is_fragmented: bool,
    /// What reading failed with, for the library to report.
    failure: Option<io::Error>,
}

/// Who reads.
#[derive(Debug, PartialEq)]
enum Stage {
    /// The library, until the HTTP answer ends: with an empty line.
    Upgrade { is_line_empty: bool },
    /// We do; the library is lent the next so many bytes.
    Frames { lent: u64 },
    /// The library, up to the end.
    Last,
}

/// Whose the next frame is.
#[derive(Debug, PartialEq)]
enum Next {
    /// A text of so many bytes behind a header of so many.
    Text { header: usize, length: usize },
    /// The library's: so many bytes.
    Library(u64),
    /// The header is not all there.
    Unknown,
}

impl Intake {
    /// `small`: the size of the buffer while little comes. The library judges frames longer than `max_frame`.
    pub(super) fn new(connection: Connection, small: usize, max_frame: usize) -> Self {
        Self {
            connection,
            buffer: BytesMut::new(),
            put_back: None,
            small,
            chunk: small,
            is_large: false,
            max_frame,
            stage: Stage::Upgrade {
                is_line_empty: false,
            },
            is_fragmented: false,
            failure: None,
        }
    }

    /// The connection is a WebSocket from here on.
    pub(super) const fn upgraded(&mut self) {
        self.stage = Stage::Frames { lent: 0 };
    }

    /// The connection, for writing.
    pub(super) const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The payload of the next text frame; `None` when it is the library's turn to read.
    pub(super) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(text) = self.put_back.take() {
            return Poll::Ready(Some(text));
        }
        while self.is_between_frames() {
            let missing = match self.next() {
                Next::Text { header, length } => match self.cut(header, length) {
                    Ok(text) => return Poll::Ready(Some(text)),
                    Err(missing) => missing,
                },
                Next::Library(lent) => {
                    self.stage = Stage::Frames { lent };
                    break;
                }
                Next::Unknown => 2,
            };
            match ready!(self.poll_fill(cx, missing)) {
                Ok(1..) => {}
                // Perhaps within a frame. What to make of it, the library knows.
                Ok(0) => self.stage = Stage::Last,
                Err(error) => {
                    self.failure = Some(error);
                    self.stage = Stage::Last;
                }
            }
        }
        Poll::Ready(None)
    }

    /// The payload of the next text frame, if all of it has been read.
    pub(super) fn read_text(&mut self) -> Option<Bytes> {
        if self.put_back.is_some() {
            return self.put_back.take();
        }
        // Headers of other frames are looked at when their turn has come: whoever does notes what they begin and end.
        let is_text = self.buffer.first() == Some(&TEXT) && !self.is_fragmented;
        if !is_text || !self.is_between_frames() {
            return None;
        }
        match self.next() {
            Next::Text { header, length } => self.cut(header, length).ok(),
            _ => None,
        }
    }

    /// Gives back the text that was taken last.
    pub(super) fn put_back(&mut self, text: Bytes) {
        self.put_back = Some(text);
    }

    /// A payload of so many bytes behind a header of so many; how many bytes are missing.
    fn cut(&mut self, header: usize, length: usize) -> Result<Bytes, usize> {
        let whole = length.saturating_add(header);
        if whole > self.buffer.len() {
            return Err(whole - self.buffer.len());
        }
        self.buffer.advance(header);
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Whether the library has read what it was lent.
    pub(super) fn is_between_frames(&self) -> bool {
        self.stage == Stage::Frames { lent: 0 }
    }

    /// What the library reads.
    pub(super) fn poll_lent(
        &mut self,
        cx: &mut Context<'_>,
        target: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_between_frames() {
            return Poll::Pending;
        }
        if self.buffer.is_empty() {
            if let Some(failure) = self.failure.take() {
                return Poll::Ready(Err(failure));
            }
            if ready!(self.poll_fill(cx, target.len()))? == 0 {
                self.stage = Stage::Last;
                return Poll::Ready(Ok(0));
            }
        }
        let mut count = target.len().min(self.buffer.len());
        match &mut self.stage {
            Stage::Upgrade { is_line_empty } => {
                count = end_of_head(&self.buffer[..count], is_line_empty);
            }
            Stage::Frames { lent } => {
                count = usize::try_from(*lent).map_or(count, |lent| count.min(lent));
                *lent -= count as u64;
            }
            Stage::Last => {}
        }
        target[..count].copy_from_slice(&self.buffer[..count]);
        self.buffer.advance(count);
        Poll::Ready(Ok(count))
    }

    /// Looks at the header that the buffer begins with.
    fn next(&mut self) -> Next {
        const FINAL: u8 = 0x80;
        const MASKED: u8 = 0x80;
        let [first, second, rest @ ..] = &*self.buffer else {
            return Next::Unknown;
        };
        let (size, length) = match (second & !MASKED, rest) {
            (126, [a, b, ..]) => (4, u16::from_be_bytes([*a, *b]).into()),
            (127, [a, b, c, d, e, f, g, h, ..]) => {
                (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
            }
            (126 | 127, _) => return Next::Unknown,
            (length, _) => (2, length.into()),
        };
        let is_masked = second & MASKED != 0;
        if *first == TEXT
            && !is_masked
            && !self.is_fragmented
            && let Ok(length) = usize::try_from(length)
            && length <= self.max_frame
        {
            return Next::Text {
                header: size,
                length,
            };
        }
        let is_final = first & FINAL != 0;
        match first & 0x0F {
            0..8 => self.is_fragmented = !is_final,
            // Nothing may come behind a close frame; the library sees to that.
            8 => return Next::Library(u64::MAX),
            _ => {}
        }
        let mask = if is_masked { 4 } else { 0 };
        Next::Library(length.saturating_add(size as u64 + mask))
    }

    /// Reads once, preferably as much as is `missing`; how much came, 0 at the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>, missing: usize) -> Poll<io::Result<usize>> {
        let held = self.buffer.len();
        // A long frame gets its room as it comes: its header is only a claim.
        let room = (self.chunk.max(held) - held).max(missing.min(held));
        self.is_large |= held + room > self.small;
        self.buffer.reserve(room.max(1));
        let room = self.buffer.capacity() - held;
        let read = pin!(self.connection.read_buf(&mut self.buffer)).poll(cx);
        let Poll::Ready(read) = read else {
            if self.is_large && held == 0 {
                self.buffer = BytesMut::new();
                self.is_large = false;
            }
            return Poll::Pending;
        };
        match read {
            Ok(count) if count >= room => self.chunk = AHEAD.max(self.small),
            Ok(count) if count <= self.small => self.chunk = self.small,
            _ => {}
        }
        Poll::Ready(read)
    }
}

/// Behind the first empty line, or all of it. `is_line_empty`: whether the line that goes on here was empty so far.
fn end_of_head(bytes: &[u8], is_line_empty: &mut bool) -> usize {
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if *is_line_empty => {
                *is_line_empty = false;
                return at + 1;
            }
            b'\n' => *is_line_empty = true,
            b'\r' => {}
            _ => *is_line_empty = false,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use std::future::poll_fn;
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    /// A text frame of so many bytes.
    fn frame(length: u16) -> Vec<u8> {
        let mut frame = vec![0x81, 126];
        frame.extend(length.to_be_bytes());
        frame.resize(frame.len() + usize::from(length), b'x');
        frame
    }

    #[tokio::test]
    async fn it_takes_memory_only_while_much_comes() {
        let (mut server, client) = duplex(1 << 20);
        let mut intake = Intake::new(Box::new(client), 4096, 1 << 20);
        intake.upgraded();
        for round in 0..3 {
            server.write_all(&frame(100)).await.unwrap();
            let text = poll_fn(|cx| intake.poll_text(cx)).await.unwrap();
            assert_eq!(text.len(), 100);
            drop(text);
            assert!(poll_fn(|cx| intake.poll_text(cx)).now_or_never().is_none());
            assert!(!intake.is_large, "{round}");

            for _ in 0..1000 {
                server.write_all(&frame(800)).await.unwrap();
            }
            let mut reads = 0;
            for _ in 0..1000 {
                let held = intake.buffer.len();
                let text = poll_fn(|cx| intake.poll_text(cx)).await.unwrap();
                reads += usize::from(intake.buffer.len() + text.len() > held);
                assert!(intake.buffer.capacity() < 2 * AHEAD);
            }
            assert!(intake.is_large && reads < 30, "{round}: {reads}");
            assert!(poll_fn(|cx| intake.poll_text(cx)).now_or_never().is_none());
            assert!(!intake.is_large, "{round}: idle");
            assert_eq!(intake.buffer.capacity(), 0, "{round}: idle");
        }
    }

    #[tokio::test]
    async fn a_claim_alone_takes_no_memory() {
        let (mut server, client) = duplex(1 << 20);
        let mut intake = Intake::new(Box::new(client), 4096, usize::MAX);
        intake.upgraded();
        let claim = [0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        server.write_all(&claim).await.unwrap();
        assert!(poll_fn(|cx| intake.poll_text(cx)).now_or_never().is_none());
        assert!(intake.buffer.capacity() <= 4096);
        server.write_all(&[0; 300_000]).await.unwrap();
        assert!(poll_fn(|cx| intake.poll_text(cx)).now_or_never().is_none());
        assert!(intake.buffer.capacity() <= 1 << 20);
    }

    #[test]
    fn the_answer_ends_with_an_empty_line() {
        for (text, head) in [
            ("HTTP/1.1 101 X\r\na: b\r\n\r\n\u{1}frame", 24),
            ("HTTP/1.1 101 X\n\nframe", 16),
            ("HTTP/1.1 101 X\r\n\nframe", 17),
        ] {
            let text = text.as_bytes();
            assert_eq!(end_of_head(text, &mut false), head);
            // However it is cut.
            for cut in 0..head {
                let mut is_line_empty = false;
                assert_eq!(end_of_head(&text[..cut], &mut is_line_empty), cut);
                assert_eq!(cut + end_of_head(&text[cut..], &mut is_line_empty), head);
            }
        }
    }
}
