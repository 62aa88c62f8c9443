//! Panels above the input box.

use qq_model::panel::{
    CreatePanel, ListPanels, Panel, PanelCreated, PanelPage, PanelRecord, PanelScope, PanelVersion,
    UpdatePanel, UpdatePanelTarget,
};

use super::at::At;
use crate::error::Error;
use crate::request::{self, Call, Paged, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

/// The bot's panels: [`HttpClient::panels`](crate::HttpClient::panels).
#[derive(Clone, Debug)]
pub struct Panels(pub(super) At);

impl Panels {
    /// Those of one kind of chat, the newest first, 20 per page by default and at most 50.
    pub fn list(&self, scope: PanelScope) -> QueryCall<ListPanels> {
        self.0.query(Route::ListPanels, ListPanels::new(scope))
    }

    /// Makes a panel; the answer has its id.
    pub fn create(&self, panel: &CreatePanel) -> Call<PanelCreated> {
        self.0.write(Route::CreatePanel, panel, |response| {
            request::having(response, "panel_id", |created: &PanelCreated| {
                created.panel_id.is_empty()
            })
        })
    }
}

/// One panel: [`HttpClient::panel`](crate::HttpClient::panel).
#[derive(Clone, Debug)]
pub struct PanelIdScope(pub(super) At);

impl PanelIdScope {
    /// The panel, and to whom it is shown.
    pub fn get(&self) -> Call<PanelRecord> {
        self.0.read(Route::GetPanel, |response| {
            request::having(response, "panel_id", |panel: &PanelRecord| {
                panel.panel_id.is_empty()
            })
        })
    }

    /// Replaces what it shows.
    pub fn update(&self, panel: Panel) -> Call<PanelVersion> {
        self.0
            .write(Route::UpdatePanel, &UpdatePanel::from(panel), request::json)
    }

    /// Changes to whom it is shown.
    pub fn update_target(&self, change: &UpdatePanelTarget) -> Call<()> {
        self.0.put(Route::UpdatePanelTarget, change)
    }

    /// Deletes it.
    pub fn delete(&self) -> Call<()> {
        self.0.act(Route::DeletePanel)
    }
}

impl Query for ListPanels {
    type Answer = PanelPage;

    fn read(response: &Response) -> Result<PanelPage, Error> {
        response.json()
    }
}

impl Paged for ListPanels {
    type Item = PanelRecord;
    type Key = Box<str>;

    fn in_large_pages(mut self) -> Self {
        self.limit.get_or_insert(50);
        self
    }

    fn following(&self, page: &PanelPage) -> Option<Self> {
        let cursor = page.next_cursor.clone().filter(|_| !page.is_end)?;
        (!cursor.is_empty()).then(|| self.clone().cursor(cursor))
    }

    fn entries(page: PanelPage) -> Vec<PanelRecord> {
        page.records
    }

    fn key(panel: &PanelRecord) -> Option<Box<str>> {
        Some(panel.panel_id.clone()).filter(|id| !id.is_empty())
    }
}

impl QueryCall<ListPanels> {
    /// Goes on where the previous page ended.
    pub fn cursor(self, cursor: impl Into<Box<str>>) -> Self {
        self.map(|query| query.cursor(cursor))
    }

    /// How many per page, at most 50.
    pub fn limit(self, limit: u32) -> Self {
        self.map(|query| query.limit(limit))
    }
}
