//! The headers of a callback.

use std::collections::HashMap;

use qq_model::id::AppId;

use crate::error::ErrorKind;
use crate::headers::{APP_ID, Headers, SIGNATURE, TIMESTAMP};
use crate::signature::{KeyPair, Signature};

/// What the headers of a callback say; none of it is verified yet, but the bot is known.
pub(crate) struct Head {
    pub(crate) app_id: AppId,
    pub(crate) signature: Signature,
    /// The bytes of the header, which are what was signed.
    pub(crate) timestamp: Box<[u8]>,
    pub(crate) seconds: u64,
}

impl Head {
    pub(super) fn read<H: Headers + ?Sized>(
        headers: &H,
        bots: &HashMap<AppId, Vec<KeyPair>>,
    ) -> Result<Self, ErrorKind> {
        let app_id = app_id(headers.header(APP_ID), bots)?;
        let signature = headers.header(SIGNATURE).filter(|value| !value.is_empty());
        let signature = Signature::from_hex(signature.ok_or(ErrorKind::MissingSignature)?)
            .map_err(|_| ErrorKind::MalformedSignature)?;
        let timestamp = headers.header(TIMESTAMP).filter(|value| !value.is_empty());
        let timestamp = timestamp.ok_or(ErrorKind::MissingTimestamp)?;
        Ok(Self {
            app_id,
            signature,
            seconds: seconds(timestamp).ok_or(ErrorKind::MalformedTimestamp)?,
            timestamp: timestamp.into(),
        })
    }
}

/// The bot that the header names. Only one bot needs no name.
fn app_id(header: Option<&[u8]>, bots: &HashMap<AppId, Vec<KeyPair>>) -> Result<AppId, ErrorKind> {
    let Some(header) = header.filter(|value| !value.is_empty()) else {
        let mut all = bots.keys();
        return match (all.next(), all.next()) {
            (Some(only), None) => Ok(only.clone()),
            _ => Err(ErrorKind::MissingAppId),
        };
    };
    let name = std::str::from_utf8(header).map_err(|_| ErrorKind::UnknownApp)?;
    let (app_id, _) = bots
        .get_key_value(&AppId::new(name))
        .ok_or(ErrorKind::UnknownApp)?;
    Ok(app_id.clone())
}

/// Digits only: a sign or a blank is not how the platform writes a time.
fn seconds(header: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(header).ok()?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}
