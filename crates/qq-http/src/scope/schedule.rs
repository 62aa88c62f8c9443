//! The entries of a schedule channel.

use qq_model::Timestamp;
use qq_model::id::ScheduleId;
use qq_model::schedule::{ListSchedules, Schedule, ScheduleBody};

use super::ChannelScope;
use super::at::At;
use crate::error::Error;
use crate::request::{self, Call, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

impl ChannelScope {
    /// Its entries. Schedule channels only.
    #[must_use]
    pub fn schedules(&self) -> ChannelSchedules {
        ChannelSchedules(self.at())
    }

    /// One of its entries. Schedule channels only.
    pub fn schedule(&self, schedule: impl Into<ScheduleId>) -> ScheduleScope {
        ScheduleScope(self.at().and(schedule.into()))
    }
}

/// The entries of one schedule channel: [`ChannelScope::schedules`].
#[derive(Clone, Debug)]
pub struct ChannelSchedules(At);

impl ChannelSchedules {
    /// Those of today; those that end after [`since`](QueryCall::since) when it is set.
    pub fn list(&self) -> QueryCall<ListSchedules> {
        self.0.query(Route::ListSchedules, ListSchedules::default())
    }

    /// Makes an entry: at most 10 per administrator and day, 100 per guild and day.
    pub fn create(&self, schedule: Schedule) -> Call<Schedule> {
        self.0.write(
            Route::CreateSchedule,
            &ScheduleBody::from(schedule),
            read_schedule,
        )
    }
}

/// One entry of a schedule channel: [`ChannelScope::schedule`].
#[derive(Clone, Debug)]
pub struct ScheduleScope(At);

impl ScheduleScope {
    /// The entry.
    pub fn get(&self) -> Call<Schedule> {
        self.0.read(Route::GetSchedule, read_schedule)
    }

    /// Replaces it.
    pub fn modify(&self, schedule: Schedule) -> Call<Schedule> {
        self.0.write(
            Route::ModifySchedule,
            &ScheduleBody::from(schedule),
            read_schedule,
        )
    }

    /// Deletes it.
    pub fn delete(&self) -> Call<()> {
        self.0.act(Route::DeleteSchedule)
    }
}

/// An entry, bare or wrapped as in requests.
fn read_schedule(response: &Response) -> Result<Schedule, Error> {
    let is_none = |schedule: &Schedule| schedule.id.as_ref().is_none_or(ScheduleId::is_empty);
    let wrapped: ScheduleBody = response.json()?;
    if !is_none(&wrapped.schedule) {
        return Ok(wrapped.schedule);
    }
    request::having(response, "id", is_none)
}

impl Query for ListSchedules {
    type Answer = Vec<Schedule>;

    /// The documents print a body, official SDKs send a query.
    const IS_BODY_TOO: bool = true;

    fn read(response: &Response) -> Result<Vec<Schedule>, Error> {
        request::nullable_list(response)
    }
}

impl QueryCall<ListSchedules> {
    /// Entries that end after this moment; those of today without it.
    pub fn since(self, since: &Timestamp) -> Self {
        // This call takes milliseconds as a number, whatever form the moment came in.
        let number = since
            .unix_millis()
            .map_or_else(|| since.clone(), Timestamp::from_unix_seconds);
        self.map(|query| query.since(number))
    }
}
