//! A file of 200 MiB in parts, over loopback: the largest amount of memory meanwhile, and time. Every seventh part
//! fails, every eleventh connection breaks, and the platform is busy now and then.
//!
//! `cargo bench -p qqbot-benches --bench upload [-- <MiB> <parts at once>]`

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program that prints figures, and ends when it cannot"
)]

use std::alloc::System;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cap::Cap;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use md5::{Digest, Md5};
use qq_http::{HttpClient, Upload, UploadPolicy};
use qq_model::outgoing::FileType;
use qq_model::{Environment, Token};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const MIB: usize = 1024 * 1024;
const BLOCK: usize = 5 * MIB;

/// The platform and its storage in one; what it stores goes to a file, so that its own memory stays small.
struct Server {
    address: String,
    stored: Mutex<File>,
    concurrency: usize,
    size: Mutex<usize>,
    puts: AtomicUsize,
    finishes: AtomicUsize,
    failures: AtomicUsize,
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<usize>().ok());
    let size = arguments.next().unwrap_or(200) * MIB;
    let concurrency = arguments.next().unwrap_or(4);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(size, concurrency));
}

async fn run(size: usize, concurrency: usize) {
    let folder = std::env::temp_dir().join(format!("qq-bench-{:x}", fastrand::u64(..)));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("file.bin");
    write_random(&path, size);
    let sent = md5(&mut File::open(&path).unwrap());
    let stored = folder.join("stored.bin");
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&stored)
        .unwrap();
    let server = serve(file, concurrency).await;
    let http = HttpClient::builder(Token::new("1", "secret"))
        .environment(Environment::custom(&server.address).unwrap())
        .build()
        .unwrap();
    let file = Upload::file(&path);
    let from_file = upload(&http, &server, file, "file").await;
    let found = md5(&mut server.stored.lock().unwrap());
    assert_eq!(found, sent, "the other end has other bytes");
    let reader = Upload::reader(tokio::fs::File::open(&path).await.unwrap());
    let from_reader = upload(&http, &server, reader, "reader of unknown length").await;
    assert_eq!(md5(&mut server.stored.lock().unwrap()), sent);
    println!(
        "{} attempts to store a part, {} of them made to fail; equal digests at both ends",
        server.puts.load(Ordering::Relaxed),
        server.failures.load(Ordering::Relaxed)
    );
    std::fs::remove_dir_all(&folder).unwrap();
    if let Some(resident) = resident() {
        println!("{resident} resident at most, the whole process");
    }
    let limit = 32 * MIB;
    assert!(from_file < limit && from_reader < limit, "more than 32 MiB");
}

/// One upload; the largest amount of memory above what there was before.
async fn upload(http: &HttpClient, server: &Server, upload: Upload, what: &str) -> usize {
    let before = ALLOCATOR.allocated();
    let peak = Arc::new(AtomicUsize::new(before));
    let watcher = tokio::spawn({
        let peak = Arc::clone(&peak);
        async move {
            loop {
                peak.fetch_max(ALLOCATOR.allocated(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_micros(500)).await;
            }
        }
    });
    let began = Instant::now();
    let uploaded = http
        .group("G")
        .upload(upload)
        .kind(FileType::File)
        .name("file.bin")
        .policy(UploadPolicy::default().attempts(6))
        .fresh()
        .await
        .unwrap();
    assert!(!uploaded.is_cached);
    let took = began.elapsed();
    watcher.abort();
    let peak = peak.load(Ordering::Relaxed) - before;
    println!(
        "{what}: {:.1} MiB of {} MiB in memory at most, both ends together; {:.2} s",
        peak as f64 / MIB as f64,
        *server.size.lock().unwrap() / MIB,
        took.as_secs_f64()
    );
    peak
}

/// The largest resident size so far, where the system tells.
fn resident() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}

fn write_random(path: &std::path::Path, size: usize) {
    let mut file = File::create_new(path).unwrap();
    let mut piece = vec![0; MIB];
    for _ in 0..size / MIB {
        fastrand::fill(&mut piece);
        file.write_all(&piece).unwrap();
    }
}

fn md5(file: &mut File) -> Vec<u8> {
    let (mut md5, mut piece) = (Md5::new(), vec![0; MIB]);
    file.seek(SeekFrom::Start(0)).unwrap();
    loop {
        match file.read(&mut piece).unwrap() {
            0 => return md5.finalize().to_vec(),
            read => md5.update(&piece[..read]),
        }
    }
}

async fn serve(stored: File, concurrency: usize) -> Arc<Server> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Arc::new(Server {
        address: format!("http://{}", listener.local_addr().unwrap()),
        stored: Mutex::new(stored),
        concurrency,
        size: Mutex::new(0),
        puts: AtomicUsize::new(0),
        finishes: AtomicUsize::new(0),
        failures: AtomicUsize::new(0),
    });
    tokio::spawn({
        let server = Arc::clone(&server);
        async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(&server, request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A connection that was made to break ends with an error.
                    drop(connection.await);
                });
            }
        }
    });
    server
}

async fn answer(
    server: &Server,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let path = request.uri().path().to_owned();
    if let Some(position) = path.strip_prefix("/cos/") {
        return store(server, position.parse().unwrap(), request.into_body()).await;
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (status, answer) = match path.rsplit('/').next().unwrap() {
        "getAppAccessToken" => (200, json!({"access_token": "t", "expires_in": "7200"})),
        "upload_prepare" => {
            let size: usize = body["file_size"].as_str().unwrap().parse().unwrap();
            *server.size.lock().unwrap() = size;
            let parts: Vec<_> = (0..size.div_ceil(BLOCK))
                .map(|position| json!({"index": position + 1, "presigned_url": format!("{}/cos/{position}", server.address)}))
                .collect();
            (
                200,
                json!({"upload_id": "u", "block_size": BLOCK.to_string(), "parts": parts,
                "upload_config": {"concurrency": server.concurrency, "retry_timeout": 60, "retry_delay": 1}}),
            )
        }
        "upload_part_finish" if server.finishes.fetch_add(1, Ordering::Relaxed) % 13 == 12 => {
            (400, json!({"code": 40_093_001, "message": "busy"}))
        }
        "upload_part_finish" => (200, json!({})),
        "files" => (200, json!({"file_uuid": "f", "file_info": "i", "ttl": 300})),
        other => (404, json!({"code": 11_255, "message": other})),
    };
    Ok(Response::builder()
        .status(status)
        .body(answer.to_string().into())
        .unwrap())
}

async fn store(
    server: &Server,
    position: usize,
    mut body: Incoming,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let number = server.puts.fetch_add(1, Ordering::Relaxed);
    let fault = |divisor| number % divisor == divisor - 1;
    let mut offset = position * BLOCK;
    while let Some(frame) = body.frame().await {
        let Some(data) = frame.ok().and_then(|frame| frame.into_data().ok()) else {
            break;
        };
        if fault(11) && offset > position * BLOCK {
            server.failures.fetch_add(1, Ordering::Relaxed);
            return Err(std::io::Error::other("made to break"));
        }
        let mut file = server.stored.lock().unwrap();
        file.seek(SeekFrom::Start(offset as u64))?;
        file.write_all(&data)?;
        offset += data.len();
    }
    let status = if fault(7) {
        server.failures.fetch_add(1, Ordering::Relaxed);
        500
    } else {
        200
    };
    Ok(Response::builder()
        .status(status)
        .body(Full::default())
        .unwrap())
}
