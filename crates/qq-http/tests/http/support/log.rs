//! Every test of this program runs with logs at the finest level, and fails when one of them shows a secret.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use tracing::Level;

thread_local! {
    static LINES: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Begins to watch; all tests share one subscriber, since it can be set once only.
pub(super) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Watcher)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// Keeps what this test logs from here on.
pub(crate) fn record() {
    LINES.with_borrow_mut(|lines| *lines = Some(String::new()));
}

/// What was logged since [`record`].
pub(crate) fn recorded() -> String {
    LINES.with_borrow_mut(|lines| lines.take().unwrap())
}

struct Watcher;

impl io::Write for Watcher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        assert!(!line.contains("canary"), "a secret in the log: {line}");
        LINES.with_borrow_mut(|lines| lines.iter_mut().for_each(|lines| lines.push_str(&line)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
