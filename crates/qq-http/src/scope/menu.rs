//! The menu below one-to-one chats.

use qq_model::menu::{MenuResult, MenuVersion, PutMenu};

use super::at::At;
use crate::request::{self, Call};
use crate::route::Route;

/// The bot's menu: [`HttpClient::menu`](crate::HttpClient::menu).
#[derive(Clone, Debug)]
pub struct MenuScope(pub(super) At);

impl MenuScope {
    /// The menu as it is; without one the answer has none.
    pub fn get(&self) -> Call<MenuResult> {
        self.0.get(Route::GetMenu)
    }

    /// Replaces the menu as a whole. A menu without entries takes it away.
    pub fn set(&self, menu: &PutMenu) -> Call<MenuVersion> {
        self.0.write(Route::PutMenu, menu, request::json)
    }

    /// Takes the menu away. Unconfirmed: the documents only [`set`](Self::set) an empty one.
    pub fn delete(&self) -> Call<()> {
        self.0.act(Route::DeleteMenu)
    }
}
