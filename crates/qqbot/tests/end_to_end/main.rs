//! Whole bots against the emulator, over real sockets.

#[cfg(test)]
mod counts;
#[cfg(feature = "webhook")]
#[cfg(test)]
mod flood;
#[cfg(test)]
mod handlers;
#[cfg(test)]
mod interruptions;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod startup;
#[cfg(test)]
mod status;
#[cfg(test)]
mod support;
#[cfg(feature = "webhook")]
#[cfg(test)]
mod webhook;
