//! The frames of the gateway and of webhooks.

mod close_code;
mod control;
mod discovery;
mod envelope;
mod opcode;

pub use self::close_code::{CloseAction, CloseCode};
pub use self::control::{Hello, Identify, Ready, Resume, Resumed};
pub use self::discovery::{Gateway, GatewayBot, SessionStartLimit, ShardId};
pub use self::envelope::{Envelope, EnvelopeError};
pub use self::opcode::OpCode;
