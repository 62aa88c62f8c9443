//! Lists that come in pages, to their end.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;

use super::{CallFuture, Query, QueryCall};
use crate::error::Error;

/// So many pages in a row without anything new end a list: the server leads round in a circle.
const MOST_WITHOUT_NEWS: u8 = 3;

/// A query whose answer comes in pages.
pub trait Paged: Query {
    /// An entry of a page.
    type Item: Send + Unpin + 'static;
    /// What tells two entries apart.
    type Key: Eq + Hash + Send + Unpin + 'static;

    /// The query of a whole list: its largest pages, unless a size was set.
    #[must_use]
    fn in_large_pages(self) -> Self;

    /// The query of the page after this one; `None` at the end.
    #[must_use]
    fn following(&self, page: &Self::Answer) -> Option<Self>;

    /// The entries of a page.
    fn entries(page: Self::Answer) -> Vec<Self::Item>;

    /// What tells an entry from the others; entries without it are never taken for duplicates.
    fn key(item: &Self::Item) -> Option<Self::Key>;
}

/// The pages of a list, one call each: [`QueryCall::pages`].
///
/// Entries that an earlier page had are left out, for the platform repeats some; pages without any new entry are
/// passed over. It ends where the platform says so, when three pages in a row bring nothing new, or after the first
/// error. The ids of all entries so far are kept until it is dropped. Nothing runs unless it is polled.
///
/// ```no_run
/// # async fn run(http: qq_http::HttpClient) -> Result<(), qq_http::Error> {
/// let mut pages = http.guild(1234).members().pages();
/// while let Some(members) = pages.next().await {
///     println!("{} more", members?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "pages are asked for when it is polled"]
pub struct Pages<Q: Paged> {
    call: QueryCall<Q>,
    is_done: bool,
    running: Option<CallFuture<Q::Answer>>,
    seen: HashSet<Q::Key>,
    without_news: u8,
}

impl<Q: Paged> Pages<Q> {
    pub(super) fn new(call: QueryCall<Q>) -> Self {
        Self {
            call: call.map(Q::in_large_pages),
            is_done: false,
            running: None,
            seen: HashSet::new(),
            without_news: 0,
        }
    }

    /// The next page; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the call; the list ends with it.
    ///
    /// # Cancel safety
    ///
    /// A call that was begun goes on when it is called again: no page is lost.
    pub async fn next(&mut self) -> Option<Result<Vec<Q::Item>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Goes on behind a page, and gives what is new in it.
    fn turn(&mut self, page: Q::Answer) -> Vec<Q::Item> {
        let following = self.call.query.following(&page);
        let mut items = Q::entries(page);
        items.retain(|item| Q::key(item).is_none_or(|key| self.seen.insert(key)));
        if items.is_empty() {
            self.without_news += 1;
        } else {
            self.without_news = 0;
        }
        match following {
            Some(query) if query != self.call.query && self.without_news < MOST_WITHOUT_NEWS => {
                self.call.query = query;
            }
            _ => self.is_done = true,
        }
        items
    }
}

impl<Q: Paged> Stream for Pages<Q> {
    type Item = Result<Vec<Q::Item>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        while !this.is_done {
            let running = this
                .running
                .get_or_insert_with(|| this.call.call().into_future());
            let answer = ready!(running.as_mut().poll(cx));
            this.running = None;
            match answer {
                Ok(page) => {
                    let items = this.turn(page);
                    if !items.is_empty() {
                        return Poll::Ready(Some(Ok(items)));
                    }
                }
                Err(error) => {
                    this.is_done = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}

impl<Q: Paged> fmt::Debug for Pages<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("call", &self.call)
            .field("is_done", &self.is_done)
            .field("seen", &self.seen.len())
            .finish_non_exhaustive()
    }
}

/// The entries of a list, page by page: [`QueryCall::items`]. As [`Pages`] in all else.
///
/// ```no_run
/// # async fn run(http: qq_http::HttpClient) -> Result<(), qq_http::Error> {
/// let mut members = http.group("FEC0ACE0EE8970E6BC3ADAFB5BEC6152").members().items();
/// while let Some(member) = members.next().await {
///     println!("{}", member?.member_openid);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "pages are asked for when it is polled"]
pub struct Items<Q: Paged> {
    pages: Pages<Q>,
    page: VecDeque<Q::Item>,
}

impl<Q: Paged> Items<Q> {
    pub(super) const fn new(pages: Pages<Q>) -> Self {
        Self {
            pages,
            page: VecDeque::new(),
        }
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the call; the list ends with it.
    ///
    /// # Cancel safety
    ///
    /// A call that was begun goes on when it is called again: no entry is lost.
    pub async fn next(&mut self) -> Option<Result<Q::Item, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<Q: Paged> Stream for Items<Q> {
    type Item = Result<Q::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => this.page = page.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<Q: Paged> fmt::Debug for Items<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("waiting", &self.page.len())
            .finish()
    }
}
