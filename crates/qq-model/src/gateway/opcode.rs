//! What a frame is for.

open_enum! {
    /// The `op` of a frame. Source: the platform's opcode page.
    pub enum OpCode: i64 {
        /// An event, from the server.
        Dispatch = 0,
        /// "I am alive", with the last sequence; from either side.
        Heartbeat = 1,
        /// Opens a new session.
        Identify = 2,
        /// Takes up an old session.
        Resume = 6,
        /// The server asks for a new connection.
        Reconnect = 7,
        /// The session or the request for one was refused.
        InvalidSession = 9,
        /// The first frame of a connection: the heartbeat interval.
        Hello = 10,
        /// A heartbeat was received.
        HeartbeatAck = 11,
        /// The answer to a webhook call.
        HttpCallbackAck = 12,
        /// The platform checks a webhook address.
        HttpCallbackValidation = 13,
    }
}
