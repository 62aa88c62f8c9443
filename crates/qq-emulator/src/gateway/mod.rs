//! The WebSocket gateway: sessions, connections, and what flows between them.
//!
//! Everything here is synchronous and runs under the platform's lock, except [`socket`], which
//! moves frames between a TCP connection and this state.

mod dispatch;
mod faults;
mod frames;
mod identify;
mod planned;
mod receive;
mod resume;
mod session;
mod socket;
mod supervision;
mod trace;
mod upgrade;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::clock::Millis;

pub(crate) use dispatch::{Event, dispatch};
pub(crate) use faults::{Fault, Target, apply};
pub(crate) use frames::go_json;
pub(crate) use identify::StartLimit;
#[cfg(any(test, fuzzing))]
pub(crate) use receive::receive;
pub(crate) use session::Session;
pub(crate) use upgrade::{accept_key, upgrade};

/// Sessions that ended, remembered so that a RESUME of one can be explained.
const ENDED_MEMORY: usize = 1024;

/// Sessions that wait to be resumed, at most; each keeps its own events.
const MOST_WAITING: usize = 64;

/// The gateway's state.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    pub(crate) sessions: BTreeMap<u64, Session>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) starts: StartLimit,
    last_number: u64,
    ended: HashMap<String, Ended>,
    ended_order: VecDeque<String>,
}

/// Why a session is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Closed with a code after which the documents allow no RESUME.
    ClosedWith(u16),
    /// Op 9 with `d: false`.
    Invalidated,
    /// Not resumed in time.
    Expired,
    /// Replaced by another session of the same shard.
    Replaced,
}

/// One WebSocket connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The session it holds, by number.
    pub(crate) session: Option<u64>,
    /// Who is at the other end.
    pub(crate) client: String,
    /// The last sequence number handed to the socket.
    cursor: u64,
    /// What goes out before further events.
    outgoing: VecDeque<Outgoing>,
    /// Set once a close is on its way: nothing more is read from the state or the client.
    closing: bool,
    /// Set by op 9: the client has been sent away, what it still says is not answered.
    dismissed: bool,
    /// An event that a fault sends after the next one.
    held_back: Option<Utf8Bytes>,
    notify: Arc<Notify>,
}

/// What a connection's task shall do next.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Send a text frame.
    Text(Utf8Bytes),
    /// Close with a proper handshake.
    Close(Close),
    /// The same, after a pause; frames flow until then.
    CloseAfter(Millis, Close),
    /// Reset the TCP connection.
    Drop,
    /// Send a text frame after a pause; other frames may overtake it.
    Late(Millis, Utf8Bytes),
    /// Send nothing for a while.
    Stall(Millis),
    /// Neither send nor read any more, and leave TCP open.
    Blackhole,
}

/// A close code with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Close {
    pub(crate) const UNKNOWN_OPCODE: Self = Self::new(4001, "invalid opcode");
    pub(crate) const INVALID_PAYLOAD: Self = Self::new(4002, "invalid payload");
    pub(crate) const NOT_AUTHENTICATED: Self = Self::new(4003, "not authenticated");
    pub(crate) const AUTHENTICATION_FAILED: Self = Self::new(4004, "authentication failed");
    pub(crate) const ALREADY_AUTHENTICATED: Self = Self::new(4005, "already authenticated");
    pub(crate) const INVALID_SESSION: Self = Self::new(4006, "invalid session id");
    pub(crate) const INVALID_SEQ: Self = Self::new(4007, "invalid seq");
    pub(crate) const TOO_FAST: Self = Self::new(4008, "payloads too fast");
    pub(crate) const TIMED_OUT: Self = Self::new(4009, "session timed out");
    pub(crate) const INVALID_SHARD: Self = Self::new(4010, "invalid shard");
    pub(crate) const INVALID_INTENTS: Self = Self::new(4013, "invalid intents");
    pub(crate) const INTENTS_NOT_GRANTED: Self = Self::new(4014, "intents not granted");
    pub(crate) const INTERNAL: Self = Self::new(4900, "internal error");
    pub(crate) const RESET_BY_RESUME: Self = Self::new(4902, "reset by resume");
    pub(crate) const CREATE_SESSION: Self = Self::new(4903, "create session error");

    pub(crate) const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason }
    }

    /// A close of which only the code is known.
    pub(crate) fn with_code(code: u16) -> Self {
        let known = [
            Self::UNKNOWN_OPCODE,
            Self::INVALID_PAYLOAD,
            Self::NOT_AUTHENTICATED,
            Self::AUTHENTICATION_FAILED,
            Self::ALREADY_AUTHENTICATED,
            Self::INVALID_SESSION,
            Self::INVALID_SEQ,
            Self::TOO_FAST,
            Self::TIMED_OUT,
            Self::INVALID_SHARD,
            Self::new(4011, "too many guilds, sharding required"),
            Self::new(4012, "invalid version"),
            Self::INVALID_INTENTS,
            Self::INTENTS_NOT_GRANTED,
            Self::RESET_BY_RESUME,
            Self::CREATE_SESSION,
            Self::new(4914, "bot offline, only the sandbox is allowed"),
            Self::new(4915, "bot banned"),
        ];
        known
            .into_iter()
            .find(|close| close.code == code)
            .unwrap_or(match code {
                4900..=4913 => Self::new(code, Self::INTERNAL.reason),
                _ => Self::new(code, ""),
            })
    }

    /// Whether the session can be resumed after this close.
    pub(crate) fn keeps_session(self) -> bool {
        matches!(self.code, 0..=4000 | 4004 | 4008 | 4009)
    }
}

impl Gateway {
    /// Registers a connection; gives its number and what wakes its task.
    pub(crate) fn connect(&mut self, client: String) -> (u64, Arc<Notify>) {
        let notify = Arc::new(Notify::new());
        let number = self.next_number();
        self.connections.insert(
            number,
            Connection {
                session: None,
                client,
                cursor: 0,
                outgoing: VecDeque::new(),
                closing: false,
                dismissed: false,
                held_back: None,
                notify: Arc::clone(&notify),
            },
        );
        (number, notify)
    }

    /// Forgets a connection; its session can be resumed from now on.
    pub(crate) fn disconnect(&mut self, connection: u64, now: Millis) {
        self.release(connection, now);
        self.connections.remove(&connection);
    }

    /// Takes the session away from a connection.
    fn release(&mut self, connection: u64, now: Millis) {
        let held = self
            .connections
            .get_mut(&connection)
            .and_then(|connection| connection.session.take());
        if let Some(session) = held.and_then(|number| self.sessions.get_mut(&number))
            && session.connection == Some(connection)
        {
            session.connection = None;
            session.disconnected_at = now;
        }
    }

    /// The session with this id.
    pub(crate) fn session_by_id(&self, id: &str) -> Option<&Session> {
        self.sessions.values().find(|session| session.id == id)
    }

    /// What the connection shall do now: at most `limit` things.
    pub(crate) fn take_outgoing(&mut self, connection: u64, limit: usize) -> Vec<Outgoing> {
        let Some(connection) = self.connections.get_mut(&connection) else {
            return vec![Outgoing::Drop];
        };
        let count = connection.outgoing.len().min(limit);
        let mut taken: Vec<Outgoing> = connection.outgoing.drain(..count).collect();
        if connection.closing {
            return taken;
        }
        if let Some(session) = connection.session.and_then(|n| self.sessions.get(&n)) {
            if connection.cursor < session.forgotten {
                // The client reads so slowly that events it has not got are gone.
                connection.closing = true;
                taken.push(Outgoing::Close(Close::INTERNAL));
                return taken;
            }
            for (seq, frame) in session
                .frames_after(connection.cursor)
                .take(limit - taken.len())
            {
                connection.cursor = seq;
                taken.push(Outgoing::Text(frame));
            }
        }
        taken
    }

    /// The largest number of events that a live connection still has to be sent.
    pub(crate) fn backlog(&self) -> u64 {
        self.connections
            .values()
            .filter_map(|connection| {
                let session = self.sessions.get(&connection.session?)?;
                Some(session.last_seq.saturating_sub(connection.cursor))
            })
            .max()
            .unwrap_or(0)
    }

    /// Ends a session for good.
    pub(crate) fn end_session(&mut self, number: u64, why: Ended) {
        let Some(session) = self.sessions.remove(&number) else {
            return;
        };
        if let Some(connection) = session
            .connection
            .and_then(|connection| self.connections.get_mut(&connection))
        {
            connection.session = None;
        }
        if self.ended.insert(session.id.clone(), why).is_none() {
            self.ended_order.push_back(session.id);
        }
        while self.ended_order.len() > ENDED_MEMORY {
            if let Some(oldest) = self.ended_order.pop_front() {
                self.ended.remove(&oldest);
            }
        }
    }

    /// Ends the sessions that nobody resumed in time, and the oldest of too many.
    pub(crate) fn expire_sessions(&mut self, now: Millis, window: Millis) {
        let expired: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| {
                session.connection.is_none() && now.saturating_sub(session.disconnected_at) > window
            })
            .map(|(number, _)| *number)
            .collect();
        for number in expired {
            self.end_session(number, Ended::Expired);
        }
        let mut waiting: Vec<(Millis, u64)> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.connection.is_none())
            .map(|(number, session)| (session.disconnected_at, *number))
            .collect();
        if waiting.len() > MOST_WAITING {
            waiting.sort_unstable();
            for (_, number) in &waiting[..waiting.len() - MOST_WAITING] {
                self.end_session(*number, Ended::Expired);
            }
        }
    }

    /// Closes a connection; ends its session where the code says so.
    pub(crate) fn close(&mut self, connection: u64, close: Close, now: Millis) {
        let held = self
            .connections
            .get(&connection)
            .and_then(|connection| connection.session);
        if close.keeps_session() {
            self.release(connection, now);
        } else if let Some(session) = held {
            self.end_session(session, Ended::ClosedWith(close.code));
        }
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.closing = true;
            connection.push(Outgoing::Close(close));
        }
    }

    /// Makes every connection look at the time.
    pub(crate) fn wake_all(&self) {
        for connection in self.connections.values() {
            connection.notify.notify_one();
        }
    }

    /// Forgets every session and closes every connection.
    pub(crate) fn abandon_all(&mut self) {
        self.sessions.clear();
        self.ended.clear();
        self.ended_order.clear();
        self.starts = StartLimit::default();
        for connection in self.connections.values_mut() {
            connection.session = None;
            connection.closing = true;
            connection.push(Outgoing::Close(Close::INTERNAL));
        }
    }

    /// Sends op 9 and, after a pause, a close.
    pub(crate) fn dismiss(
        &mut self,
        connection: u64,
        resumable: bool,
        pause: Millis,
        close: Close,
    ) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.dismissed = true;
            connection.push(Outgoing::Text(frames::invalid_session(resumable)));
            connection.push(Outgoing::CloseAfter(pause, close));
        }
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

impl Connection {
    fn push(&mut self, outgoing: Outgoing) {
        self.outgoing.push_back(outgoing);
        self.notify.notify_one();
    }

    /// Whether it is open and not about to close.
    pub(crate) fn is_live(&self) -> bool {
        !self.closing
    }
}
