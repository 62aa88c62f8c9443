//! Which kind of chat an upload is for, and its calls.

use qq_model::id::{GroupOpenid, UserOpenid};

use crate::error::Error;
use crate::request::Request;
use crate::route::Route;

/// Which kind of chat an upload is for. What is uploaded for one does not work in the other.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Group(GroupOpenid),
    User(UserOpenid),
}

impl Target {
    pub(super) const fn is_group(&self) -> bool {
        matches!(self, Self::Group(_))
    }

    /// Uploads whole, or puts parts together.
    pub(super) fn files(&self) -> Result<Request, Error> {
        self.call(Route::UploadGroupFile, Route::UploadC2CFile)
    }

    /// Begins an upload in parts.
    pub(super) fn prepare(&self) -> Result<Request, Error> {
        self.call(Route::GroupUploadPrepare, Route::C2CUploadPrepare)
    }

    /// Says that a part was stored.
    pub(super) fn part_finish(&self) -> Result<Request, Error> {
        self.call(Route::GroupUploadPartFinish, Route::C2CUploadPartFinish)
    }

    fn call(&self, group: Route, user: Route) -> Result<Request, Error> {
        match self {
            Self::Group(id) => Request::new(group, &[&id.text()]),
            Self::User(id) => Request::new(user, &[&id.text()]),
        }
    }
}
