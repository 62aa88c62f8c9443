//! The frames of the gateway and of webhooks.

mod blocks;
mod close_code;
pub(crate) mod control;
#[cfg(test)]
mod differential;
pub(crate) mod discovery;
mod envelope;
pub(crate) mod opcode;
mod scanner;
pub(crate) mod webhook_session;

pub use self::close_code::{CloseAction, CloseCode};
pub use self::control::{Hello, Identify, Properties, Ready, Resume, Resumed};
pub use self::discovery::{Gateway, GatewayBot, SessionStartLimit, ShardId};
pub use self::envelope::{Envelope, EnvelopeError, Header};
pub use self::opcode::OpCode;
pub use self::webhook_session::{CreateWebhookSession, HttpReady, HttpSession};
