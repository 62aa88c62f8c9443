//! Rules that approve requests to join groups.

use qq_model::group::{
    CreateJoinApprovalStrategy, JoinApprovalStrategy, JoinApprovalStrategyPage,
    JoinApprovalStrategyResult, ListJoinApprovalStrategies, ModifyJoinApprovalStrategy,
    ModifyWhitelist, WhitelistResult,
};

use super::at::At;
use super::group::cursor_pages;
use crate::error::Error;
use crate::request::{self, Call, Paged, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

/// The rules that approve requests to join groups:
/// [`HttpClient::join_approval_strategies`](crate::HttpClient::join_approval_strategies).
#[derive(Clone, Debug)]
pub struct JoinApprovalStrategies(pub(super) At);

impl JoinApprovalStrategies {
    /// The rules, the newest first, 20 per page by default and at most 50.
    pub fn list(&self) -> QueryCall<ListJoinApprovalStrategies> {
        self.0.query(
            Route::ListJoinApprovalStrategies,
            ListJoinApprovalStrategies::default(),
        )
    }

    /// Makes a rule; the answer has its id.
    pub fn create(
        &self,
        strategy: &CreateJoinApprovalStrategy,
    ) -> Call<JoinApprovalStrategyResult> {
        self.0
            .write(Route::CreateJoinApprovalStrategy, strategy, |response| {
                request::having(
                    response,
                    "strategy_id",
                    |result: &JoinApprovalStrategyResult| {
                        result.strategy_id.as_deref().is_none_or(str::is_empty)
                    },
                )
            })
    }
}

/// One rule that approves requests to join groups:
/// [`HttpClient::join_approval_strategy`](crate::HttpClient::join_approval_strategy).
#[derive(Clone, Debug)]
pub struct JoinApprovalStrategyScope(pub(super) At);

impl JoinApprovalStrategyScope {
    /// Changes it; what is not set stays. The answer has no id.
    pub fn modify(
        &self,
        strategy: &ModifyJoinApprovalStrategy,
    ) -> Call<JoinApprovalStrategyResult> {
        self.0
            .write(Route::ModifyJoinApprovalStrategy, strategy, request::json)
    }

    /// Deletes it.
    pub fn delete(&self) -> Call<()> {
        self.0.act(Route::DeleteJoinApprovalStrategy)
    }

    /// Applies it to the requests that wait in all its groups; that takes some ten minutes.
    pub fn execute(&self) -> Call<()> {
        self.0.put_empty(Route::ExecuteJoinApprovalStrategy)
    }

    /// Changes whom it lets in, at most 10,000 at once.
    pub fn modify_whitelist(&self, change: &ModifyWhitelist) -> Call<WhitelistResult> {
        self.0
            .write(Route::ModifyJoinApprovalWhitelist, change, request::json)
    }
}

cursor_pages! {
    ListJoinApprovalStrategies => JoinApprovalStrategyPage.strategies: [JoinApprovalStrategy] by strategy_id, 50;
}
