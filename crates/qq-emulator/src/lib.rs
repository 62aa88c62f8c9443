//! A local emulator of the QQ bot platform: REST, gateway and a chat page on 127.0.0.1.
