//! What can be chosen about what the client remembers.

/// See `client/builder/knowledge.rs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnowledgeSettings {}
