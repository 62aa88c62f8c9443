//! A whole QQ bot: dispatch to handlers, replies, sessions, on top of qq-http and qq-gateway.
