//! What the client remembers of what it has seen.
