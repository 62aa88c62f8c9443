//! The names of events.

use std::fmt;
use std::str::FromStr;

use crate::Intents;
use crate::wire::names::{Name, Names, names, table, table_len};

macro_rules! define_kind {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $payload:ident, [$($intent:ident)?], $callback:ident;)*) => {
        /// Which event.
        ///
        /// ```
        /// use qq_model::EventKind;
        ///
        /// assert_eq!(EventKind::C2CMessageCreate.as_str(), "C2C_MESSAGE_CREATE");
        /// assert_eq!("READY".parse(), Ok(EventKind::Ready));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $variant,)*
        }

        impl EventKind {
            /// Every event that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire (`t`).
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $wire,)*
                }
            }

            /// The intent that enables this event; `None` for control events, which need none.
            #[must_use]
            pub const fn intent(self) -> Option<Intents> {
                match self {
                    $(Self::$variant => define_kind!(@intent $($intent)?),)*
                }
            }

            /// The method of the client's event handler that receives this event.
            #[must_use]
            pub const fn callback(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($callback),)*
                }
            }
        }

        impl FromStr for EventKind {
            type Err = UnknownEventKind;

            fn from_str(name: &str) -> Result<Self, UnknownEventKind> {
                let place = KINDS.find(name).map(usize::from);
                let kind = place.and_then(|place| Self::ALL.get(place));
                kind.copied().ok_or(UnknownEventKind(()))
            }
        }

        static NAMES: [Name; EventKind::ALL.len()] = names([$($wire),*]);
    };
    (@intent) => { None };
    (@intent $intent:ident) => { Some(Intents::$intent) };
}

event_table!(define_kind);

static TABLE: [u8; table_len(EventKind::ALL.len())] = table(&NAMES);
static KINDS: Names = Names::new(&NAMES, &TABLE);

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No event of this name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEventKind(());

impl fmt::Display for UnknownEventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no event of this name is known")
    }
}

impl std::error::Error for UnknownEventKind {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_callbacks_are_distinct_and_parse_back() {
        let names: HashSet<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let callbacks: HashSet<_> = EventKind::ALL.iter().map(|kind| kind.callback()).collect();
        assert_eq!(
            (names.len(), callbacks.len()),
            (EventKind::ALL.len(), EventKind::ALL.len())
        );
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("ready".parse::<EventKind>().is_err());
    }
}
