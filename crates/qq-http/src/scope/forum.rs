//! The threads of a forum channel.

use qq_model::forum::{PutThread, PutThreadResult, Thread, ThreadDetail, ThreadList};
use qq_model::id::ThreadId;

use super::ChannelScope;
use super::at::At;
use crate::request::{self, Call};
use crate::route::Route;

impl ChannelScope {
    /// Its threads. Forum channels only.
    #[must_use]
    pub fn threads(&self) -> ChannelThreads {
        ChannelThreads(self.at())
    }

    /// One of its threads. Forum channels only.
    pub fn thread(&self, thread: impl Into<ThreadId>) -> ThreadScope {
        ThreadScope(self.at().and(thread.into()))
    }
}

/// The threads of one forum channel: [`ChannelScope::threads`]. Private-domain bots only.
#[derive(Clone, Debug)]
pub struct ChannelThreads(At);

impl ChannelThreads {
    /// The threads, and whether these are all: the call has no pages.
    pub fn get(&self) -> Call<ThreadList> {
        self.0.get(Route::ListThreads)
    }

    /// Publishes a thread. Answers a task: the thread's id comes with the event.
    pub fn create(&self, thread: &PutThread) -> Call<PutThreadResult> {
        self.0.write(Route::PutThread, thread, |response| {
            request::having(response, "task_id", |result: &PutThreadResult| {
                result.task_id.is_empty()
            })
        })
    }
}

/// One thread: [`ChannelScope::thread`]. Private-domain bots only.
#[derive(Clone, Debug)]
pub struct ThreadScope(At);

impl ThreadScope {
    /// The thread.
    pub fn get(&self) -> Call<Thread> {
        self.0.read(Route::GetThread, |response| {
            request::having(response, "thread", |answer: &ThreadDetail| {
                answer.thread.thread_info.thread_id.is_empty()
            })
            .map(|answer| answer.thread)
        })
    }

    /// Deletes it.
    pub fn delete(&self) -> Call<()> {
        self.0.act(Route::DeleteThread)
    }
}
