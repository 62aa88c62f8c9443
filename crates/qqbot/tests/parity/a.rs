//! The older generation: client, event handler, context.

#[cfg(test)]
mod calls;
#[cfg(test)]
pub(crate) mod client;
#[cfg(test)]
mod handler;
#[cfg(test)]
pub(crate) mod messages;
#[cfg(test)]
mod names;
#[cfg(test)]
mod settings;
