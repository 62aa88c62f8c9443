//! The older generation: client, event handler, context.
