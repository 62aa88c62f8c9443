//! `on`, `on_typed`, caches, collectors, managers and the errors of a client.
