//! Recordings: frames and calls as lines of JSON, without secrets.
//!
//! A [`Recorder`] writes them, from the proxy or from the emulator itself; [`read`] reads them, and
//! [`replay`] plays the events again.

mod line;
mod read;
mod redact;
pub(crate) mod replay;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

use crate::clock::millis;

pub(crate) use line::{Kind, Line, Side, VERSION};
pub use read::{Recording, RecordingError};
use redact::Secrets;
pub(crate) use redact::{call_path, headers};

/// Writes a recording.
pub(crate) struct Recorder {
    started: Instant,
    out: Mutex<Out>,
}

struct Out {
    file: File,
    secrets: Secrets,
    /// Why nothing is written any more.
    problem: Option<String>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// A new file; one that exists is not overwritten.
    pub(crate) fn create(path: &Path, upstream: Option<&str>) -> io::Result<Self> {
        let recorder = Self {
            started: Instant::now(),
            out: Mutex::new(Out {
                file: File::create_new(path)?,
                secrets: Secrets::default(),
                problem: None,
            }),
        };
        recorder.write(Line {
            version: Some(VERSION),
            upstream: upstream.map(str::to_owned),
            ..Line::new(Kind::Recording)
        });
        recorder
            .problem()
            .map_or(Ok(recorder), |why| Err(io::Error::other(why)))
    }

    /// Never writes this text.
    pub(crate) fn hide(&self, secret: &str) {
        self.lock().secrets.add(secret);
    }

    /// A frame, as text.
    pub(crate) fn frame(&self, connection: u64, from: Side, text: &str) {
        let (frame, text) = match serde_json::from_str::<Value>(text) {
            Ok(frame) => (Some(frame), None),
            Err(_) => (None, Some(text.to_owned())),
        };
        self.write(Line {
            connection: Some(connection),
            from: Some(from),
            frame,
            text,
            ..Line::new(Kind::Frame)
        });
    }

    /// A connection begins.
    pub(crate) fn open(&self, connection: u64) {
        self.write(Line {
            connection: Some(connection),
            ..Line::new(Kind::Open)
        });
    }

    /// A connection ends: with a code, or without one.
    pub(crate) fn close(&self, connection: u64, from: Option<Side>, code: Option<u16>) {
        self.write(Line {
            connection: Some(connection),
            from,
            code,
            ..Line::new(Kind::Close)
        });
    }

    /// A call and its answer.
    pub(crate) fn call(&self, call: Call<'_>) {
        self.write(Line {
            method: Some(call.method.to_owned()),
            path: Some(call.path.to_owned()),
            query: call.query.map(str::to_owned),
            headers: Some(call.headers),
            body: Some(call.body).filter(|body| !body.is_null()),
            status: Some(call.status),
            answer: Some(call.answer).filter(|answer| !answer.is_null()),
            ..Line::new(Kind::Call)
        });
    }

    /// A webhook callback and what came of it.
    pub(crate) fn callback(&self, callback: Callback<'_>) {
        let (body, text) = match serde_json::from_slice(callback.body) {
            Ok(body) => (Some(body), None),
            Err(_) => (
                None,
                Some(String::from_utf8_lossy(callback.body).into_owned()),
            ),
        };
        let mut line = Line {
            app_id: Some(callback.app_id.to_owned()),
            url: Some(callback.url),
            corrupt: callback.corrupt.map(str::to_owned),
            headers: Some(callback.headers),
            body,
            text,
            ..Line::new(Kind::Callback)
        };
        match callback.outcome {
            Ok((status, answer)) => {
                line.status = Some(status);
                line.answer = Some(answer).filter(|answer| !answer.is_null());
            }
            Err(why) => line.error = Some(why),
        }
        self.write(line);
    }

    /// Why the recording is not whole, if it is not.
    pub(crate) fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One write per line: what was written survives whatever happens to this process.
    fn write(&self, mut line: Line) {
        line.ms = millis(self.started.elapsed());
        let mut out = self.lock();
        if out.problem.is_some() {
            return;
        }
        out.secrets.learn(&line);
        redact::line(&mut line);
        let written = serde_json::to_string(&line)
            .map_err(io::Error::from)
            .and_then(|mut text| {
                out.secrets.remove_from(&mut text);
                text.push('\n');
                out.file.write_all(text.as_bytes())
            });
        if let Err(why) = written {
            out.problem = Some(why.to_string());
        }
    }
}

/// What is recorded of a call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) status: u16,
    pub(crate) answer: Value,
}

/// What is recorded of a callback.
#[derive(Debug)]
pub(crate) struct Callback<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) url: String,
    pub(crate) corrupt: Option<&'static str>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: &'a [u8],
    /// Status and body of the answer, or why there is none.
    pub(crate) outcome: Result<(u16, Value), String>,
}
