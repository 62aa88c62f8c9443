//! What the rows share: an emulated platform, a client on it, and both ways its events can come.
