//! The table of faults: each strikes the first request of a read, of a message without a number, of one with a number in
//! a group, and of an answer in a guild channel; what follows is served well.

use qq_http::{Error, ErrorKind, HttpClient, Sent};
use serde_json::json;

use crate::platform::{End, Fault, Platform, json as answer, whole};

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Well,
    /// The message was shown by an attempt whose answer was lost.
    Repeated,
    /// Without anything done.
    Failed(ErrorKind),
    Unknown,
}

use Ends::{Failed, Repeated, Unknown, Well};

struct Row {
    name: &'static str,
    fault: Fault,
    /// The end and the number of requests of: the read, the message without a number, the one with a number.
    ends: [(Ends, usize); 3],
}

fn row(name: &'static str, fault: Fault, ends: [(Ends, usize); 3]) -> Row {
    Row { name, fault, ends }
}

const HTML: &str = "<html><body>Bad Gateway</body></html>";
const TOKEN: &str = r#"{"code":11244,"message":"token not exist or expire","trace_id":"t"}"#;

/// A fault whose message was taken leaves a message without a number unknown, and one with a number repeated.
fn lost(name: &'static str, answer: impl Into<Vec<u8>>, end: End) -> Row {
    let ends = [(Well, 2), (Unknown, 1), (Repeated, 2)];
    row(name, Fault::taken(answer).then(end), ends)
}

/// The same of an answer with status 200 that cannot be read: reads are not repeated after it.
fn unreadable(name: &'static str, answer: impl Into<Vec<u8>>) -> Row {
    let ends = [(Failed(ErrorKind::Decode), 1), (Unknown, 1), (Repeated, 2)];
    row(name, Fault::taken(answer), ends)
}

/// A refusal that says that nothing was done, and that nothing else helps.
fn refused(name: &'static str, kind: ErrorKind, answer: impl Into<Vec<u8>>) -> Row {
    row(name, Fault::refused(answer), [(Failed(kind), 1); 3])
}

/// A refusal after which a read and a numbered message are made again.
fn later(name: &'static str, kind: ErrorKind, answer: impl Into<Vec<u8>>) -> Row {
    row(
        name,
        Fault::refused(answer),
        [(Well, 2), (Failed(kind), 1), (Well, 2)],
    )
}

/// An odd answer that means what any other means.
fn odd(name: &'static str, answer: impl Into<Vec<u8>>) -> Row {
    row(name, Fault::taken(answer), [(Well, 1); 3])
}

fn limited(retry_after: &str) -> Vec<u8> {
    whole(429, &format!("retry-after: {retry_after}\r\n"), "")
}

fn table() -> Vec<Row> {
    let good = r#"{"id":"M1","username":"bot"}"#;
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x};x=y\r\n{}\r\n{:x}\r\n{}\r\n0\r\nx-trailer: 1\r\n\r\n",
        7,
        &good[..7],
        good.len() - 7,
        &good[7..],
    );
    let informed = [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_vec(),
        whole(200, "", good),
    ]
    .concat();
    let gzip = [
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 12\r\n\r\n".to_vec(),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56".to_vec(),
    ]
    .concat();
    let half_a_body = "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"id\":\"M";
    let half_a_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{\"id\":";
    let huge_head = format!("HTTP/1.1 200 OK\r\nx-huge: {}\r\n", "x".repeat(2 << 20));
    let many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-many: 1\r\n".repeat(5000));
    let elsewhere = "location: http://127.0.0.1:1/stolen\r\n";
    vec![
        row(
            "401 once",
            Fault::refused(whole(401, "", TOKEN)),
            [(Well, 2); 3],
        ),
        row(
            "11244 with status 200",
            Fault::refused(whole(200, "", TOKEN)),
            [(Well, 2); 3],
        ),
        refused("413 with a page", ErrorKind::Http, whole(413, "", HTML)),
        refused("404 without a body", ErrorKind::Http, whole(404, "", "")),
        refused(
            "an error with status 200",
            ErrorKind::Api,
            answer(200, &json!({"code": 11_253})),
        ),
        refused(
            "an error in the newer form alone",
            ErrorKind::Api,
            answer(400, &json!({"err_code": 40_034_011})),
        ),
        later("429", ErrorKind::RateLimited, whole(429, "", "")),
        later("429, 0 s", ErrorKind::RateLimited, limited("0")),
        later("429, a fraction", ErrorKind::RateLimited, limited("0.02")),
        later(
            "429, a date",
            ErrorKind::RateLimited,
            limited("Sun, 06 Nov 1994 08:49:37 GMT"),
        ),
        later(
            "429, an older date",
            ErrorKind::RateLimited,
            limited("Sunday, 06-Nov-94 08:49:37 GMT"),
        ),
        later(
            "429, the oldest date",
            ErrorKind::RateLimited,
            limited("Sun Nov  6 08:49:37 1994"),
        ),
        later("429, nonsense", ErrorKind::RateLimited, limited("soon")),
        lost("500 without a body", whole(500, "", ""), End::Keep),
        lost(
            "502 with a page",
            whole(502, "content-type: text/html\r\n", HTML),
            End::Keep,
        ),
        lost(
            "503 in Latin-1",
            whole(503, "x: caf\u{e9}\r\n", ""),
            End::Keep,
        ),
        lost("504", whole(504, "", HTML), End::Keep),
        lost(
            "504 with a code",
            answer(504, &json!({"code": 50_001})),
            End::Keep,
        ),
        lost("no answer, closed", "", End::Close),
        lost("no answer, reset", "", End::Reset),
        lost("half a head", "HTTP/1.1 200 O", End::Close),
        lost("half a body, closed", half_a_body, End::Close),
        lost("half a body, reset", half_a_body, End::Reset),
        lost("half a chunk", half_a_chunk, End::Close),
        lost(
            "a chunk of no size",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            End::Keep,
        ),
        lost("another protocol", "SSH-2.0-OpenSSH_9.6\r\n", End::Close),
        lost("a huge head", huge_head, End::Keep),
        lost("too many headers", many_headers, End::Keep),
        lost(
            "a length that is none",
            "HTTP/1.1 200 OK\r\ncontent-length: 1e9\r\n\r\n{}",
            End::Keep,
        ),
        lost(
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
            End::Keep,
        ),
        row(
            "reset before it was taken",
            Fault::refused("").then(End::Reset),
            [(Well, 2), (Unknown, 1), (Well, 2)],
        ),
        unreadable("truncated JSON", whole(200, "", r#"{"id":"M"#)),
        unreadable(
            "a page for a success",
            whole(200, "content-type: text/html\r\n", HTML),
        ),
        unreadable("an empty success", whole(200, "", "")),
        unreadable("gzip that nobody asked for", gzip),
        unreadable(
            "no text",
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\xff\xfe\x00".to_vec(),
        ),
        unreadable(
            "a body without end",
            format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{{",
                1_u64 << 40
            ),
        ),
        row(
            "204",
            Fault::taken("HTTP/1.1 204 No Content\r\n\r\n"),
            [(Failed(ErrorKind::Decode), 1), (Well, 1), (Well, 1)],
        ),
        row(
            "101 that nobody asked for",
            Fault::taken(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            ),
            [(Failed(ErrorKind::Http), 1), (Unknown, 1), (Unknown, 1)],
        ),
        refused("301", ErrorKind::Http, whole(301, elsewhere, "")),
        refused(
            "302 with a page",
            ErrorKind::Http,
            whole(302, elsewhere, HTML),
        ),
        refused("307", ErrorKind::Http, whole(307, elsewhere, "")),
        refused("308", ErrorKind::Http, whole(308, elsewhere, "")),
        odd("chunks, with extensions and a trailer", chunked),
        odd("answers before the answer", informed),
        odd(
            "an answer of HTTP/1.0",
            format!(
                "HTTP/1.0 200 OK\r\ncontent-length: {}\r\n\r\n{good}",
                good.len()
            ),
        ),
        odd(
            "no reason",
            format!(
                "HTTP/1.1 200\r\ncontent-length: {}\r\n\r\n{good}",
                good.len()
            ),
        ),
    ]
}

fn ends<T>(result: &Result<T, Error>, is_repeated: bool) -> Ends {
    match result {
        Ok(_) if is_repeated => Repeated,
        Ok(_) => Well,
        Err(error) if error.is_outcome_unknown() => Unknown,
        Err(error) => Failed(error.kind()),
    }
}

async fn send(http: &HttpClient, which: usize) -> (Ends, Option<Error>) {
    if which == 0 {
        let result = http.me().await;
        return (ends(&result, false), result.err());
    }
    let message = match which {
        1 => http.group("G").send("hi"),
        2 => http.group("G").send("hi").reply_to("m").msg_seq(1),
        _ => http.channel(7).send("hi").reply_to("m"),
    };
    let result = message.await;
    let is_repeated = matches!(result, Ok(Sent::Repeated));
    (ends(&result, is_repeated), result.err())
}

/// What is wrong with a row for one kind of call, if anything is.
async fn judge(row: &Row, which: usize) -> Option<String> {
    let expected = row.ends[if which == 3 { 1 } else { which }];
    // A platform of its own, so that no fault leaves it a connection or a hold.
    let platform = Platform::start().await;
    platform.plan([row.fault.clone()]);
    let (ends, error) = send(&platform.client(), which).await;
    let (requests, shown) = (platform.requests().len(), platform.shown());
    let is_true = match ends {
        Well | Repeated => shown == usize::from(which > 0),
        Failed(_) => shown == 0,
        Unknown => which > 0 && shown <= 1,
    };
    let is_told = error.as_ref().is_none_or(|error| {
        let line = error.to_string();
        let is_named = error.route().is_some_and(|route| line.contains(route));
        let is_clean = !line.contains('\n') && !format!("{line}{error:?}").contains("canary");
        is_named && is_clean && error.attempts() as usize == requests
    });
    let is_good = (ends, requests) == expected && is_true && is_told;
    (!is_good).then(|| {
        let name = row.name;
        format!("{name}, {which}: {ends:?} after {requests}, {shown} shown, {error:?}")
    })
}

#[tokio::test]
async fn each_fault_has_its_end_its_requests_and_one_message_at_most() {
    let table = table();
    let all = table
        .iter()
        .flat_map(|row| (0..4).map(move |which| judge(row, which)));
    let wrong = futures_util::future::join_all(all).await;
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
