//! One WebSocket session of the QQ bot platform as a Stream, around a sans-I/O state machine.
