//! The QQ bot platform as types: ids, events, intents, message bodies, error codes. No I/O.
