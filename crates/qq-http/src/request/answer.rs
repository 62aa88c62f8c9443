//! What calls read from their answers.

use qq_model::ApiError;
use qq_model::share_link::UrlLinkResult;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::response::Response;

/// An object whose every member may be missing.
pub(crate) fn json<T: DeserializeOwned>(response: &Response) -> Result<T, Error> {
    response.json()
}

/// Nothing: the platform answers 204, an empty body or an empty object.
#[expect(
    clippy::unnecessary_wraps,
    reason = "one form for all that read answers"
)]
pub(crate) const fn nothing(_: &Response) -> Result<(), Error> {
    Ok(())
}

/// A list; `null` stands for an empty one.
pub(crate) fn list<T: DeserializeOwned>(response: &Response) -> Result<Vec<T>, Error> {
    Ok(response.json::<Option<Vec<T>>>()?.unwrap_or_default())
}

/// A list for which the platform also answers nothing or an object when it is empty.
pub(crate) fn nullable_list<T: DeserializeOwned>(response: &Response) -> Result<Vec<T>, Error> {
    let body = response.body().trim_ascii();
    match body {
        b"" | b"{}" | b"\"\"" => Ok(Vec::new()),
        _ => list(response),
    }
}

/// An object that must have one member, such as its id: without it the answer is none.
pub(crate) fn having<T: DeserializeOwned>(
    response: &Response,
    member: &'static str,
    is_empty: impl FnOnce(&T) -> bool,
) -> Result<T, Error> {
    let answer: T = response.json()?;
    if is_empty(&answer) {
        return Err(response.undecodable(format!("the answer has no `{member}`")));
    }
    Ok(answer)
}

/// A share link, whose failures come with status 200 and a `retcode`.
pub(crate) fn share_link(response: &Response) -> Result<Box<str>, Error> {
    let answer: UrlLinkResult = response.json()?;
    if let Some(retcode) = answer.retcode.filter(|code| *code != 0) {
        let mut refusal = ApiError::default();
        refusal.code = Some(retcode);
        refusal.message = answer.msg;
        return Err(response.refused(&refusal));
    }
    match answer.url() {
        Some(url) => Ok(url.into()),
        None => Err(response.undecodable("the answer has no `data.url`".to_owned())),
    }
}
