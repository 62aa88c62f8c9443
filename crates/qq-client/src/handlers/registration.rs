//! What is left in the hands of whoever added a handler.

use std::fmt;
use std::sync::Weak;

use qq_model::EventKind;

use super::Handlers;

/// Which events a closure is called for: a kind, or a name, which may be one that this version does not know.
///
/// ```
/// use qq_client::EventName;
/// use qq_model::EventKind;
///
/// assert_eq!(EventName::from("GROUP_ADD_ROBOT"), EventName::from(EventKind::GroupAddRobot));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventName {
    /// An event of the table.
    Kind(EventKind),
    /// One that this version does not know.
    Other(Box<str>),
    /// Every event.
    Any,
}

impl From<EventKind> for EventName {
    fn from(kind: EventKind) -> Self {
        Self::Kind(kind)
    }
}

impl From<&str> for EventName {
    fn from(name: &str) -> Self {
        name.parse()
            .map_or_else(|_| Self::Other(name.into()), Self::Kind)
    }
}

impl From<String> for EventName {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

/// A handler that was added. Dropping this keeps the handler; [`remove`](Self::remove) removes it.
pub struct Registration {
    handlers: Weak<Handlers>,
    id: u64,
}

impl Registration {
    pub(super) const fn new(handlers: Weak<Handlers>, id: u64) -> Self {
        Self { handlers, id }
    }

    /// Removes the handler: it is called for no further event. `false` when it was removed before.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn remove(&self) -> bool {
        self.handlers
            .upgrade()
            .is_some_and(|handlers| handlers.remove(self.id))
    }

    /// A guard that removes the handler when it is dropped.
    #[must_use = "dropping the guard removes the handler"]
    pub const fn into_guard(self) -> HandlerGuard {
        HandlerGuard(self)
    }
}

/// Removes a handler when it is dropped: [`Registration::into_guard`].
pub struct HandlerGuard(Registration);

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        self.0.remove();
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HandlerGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerGuard")
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}
