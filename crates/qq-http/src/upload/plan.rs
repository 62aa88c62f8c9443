//! Which bytes go where: the parts of an upload, by their position in the server's list.

use http::Uri;
use http::uri::Scheme;
use qq_model::outgoing::{UploadPart, UploadPrepareResult};

/// No server asks for more parts; a list that is longer is an answer gone wrong.
const MAX_PARTS: usize = 10_000;

/// A part and the bytes that belong to it.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) part: UploadPart,
    pub(super) url: Uri,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// Cuts a file of so many bytes into the server's parts. Their order is that of the list: the index counts from 0
/// in the documents and from 1 on the wire, and says nothing of the position.
pub(super) fn slices(prepared: UploadPrepareResult, size: u64) -> Result<Vec<Slice>, String> {
    let count = prepared.parts.len();
    if count > MAX_PARTS {
        return Err(format!("{count} parts, more than {MAX_PARTS}"));
    }
    let mut offset = 0;
    let mut slices = Vec::with_capacity(count);
    for (position, part) in prepared.parts.into_iter().enumerate() {
        let block = part
            .block_size
            .filter(|size| *size > 0)
            .unwrap_or(prepared.block_size);
        let size = block.min(size - offset);
        if size == 0 {
            return Err(format!("part {position} of {count} has no bytes left"));
        }
        let url = address(&part.presigned_url)
            .map_err(|why| format!("the address of part {position} {why}"))?;
        slices.push(Slice {
            part,
            url,
            offset,
            size,
        });
        offset += size;
    }
    if offset < size {
        return Err(format!("the parts take {offset} of {size} bytes"));
    }
    Ok(slices)
}

/// An address that bytes of the user's may go to: encrypted, or on this machine. Errors do not repeat it, since
/// whoever has it may write there.
fn address(url: &str) -> Result<Uri, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is none")?;
    let host = uri.host().ok_or("has no host")?;
    let is_local = || {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || address
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    };
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err("has a user name");
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Ok(uri),
        Some(scheme) if *scheme == Scheme::HTTP && is_local() => Ok(uri),
        Some(scheme) if *scheme == Scheme::HTTP => Err("is plain http to another machine"),
        _ => Err("is not https"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn prepared(block: u64, sizes: &[Option<u64>], first: u64) -> UploadPrepareResult {
        let parts: Vec<_> = (first..)
            .zip(sizes)
            .map(|(index, size)| {
                json!({"index": index.to_string(), "presigned_url": "https://cos.example/p?sign=x", "block_size": size})
            })
            .collect();
        serde_json::from_value(
            json!({"upload_id": "u", "block_size": block.to_string(), "parts": parts}),
        )
        .unwrap()
    }

    fn cut(prepared: UploadPrepareResult, size: u64) -> Result<Vec<(u64, u64, u64)>, String> {
        let slices = slices(prepared, size)?;
        Ok(slices
            .iter()
            .map(|slice| (slice.part.index, slice.offset, slice.size))
            .collect())
    }

    #[test]
    fn positions_decide_and_indexes_are_kept() {
        for first in [0, 1, 7] {
            assert_eq!(
                cut(prepared(4, &[None, Some(4), Some(4)], first), 10).unwrap(),
                [(first, 0, 4), (first + 1, 4, 4), (first + 2, 8, 2)]
            );
        }
        assert_eq!(
            cut(prepared(4, &[Some(6), Some(0), Some(0)], 1), 11).unwrap(),
            [(1, 0, 6), (2, 6, 4), (3, 10, 1)]
        );
    }

    #[test]
    fn lists_that_do_not_fit_the_file_are_refused() {
        for (block, parts, why) in [
            (4, 2, "take 8 of 10 bytes"),
            (4, 4, "part 3 of 4"),
            (0, 2, "no bytes"),
        ] {
            let error = cut(prepared(block, &vec![None; parts], 1), 10).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(cut(prepared(1, &vec![None; 10_001], 0), 10_001).is_err());
    }

    #[test]
    fn bytes_go_to_encrypted_or_local_addresses_only() {
        for url in [
            "https://cos.example/a?sign=1",
            "http://127.0.0.1:8787/cos/u/1",
            "http://[::1]:1/x",
            "http://localhost/x",
        ] {
            address(url).unwrap();
        }
        for url in [
            "http://cos.example/a",
            "http://127.0.0.1.evil.example/a",
            "ftp://127.0.0.1/x",
            "/cos/u/1",
            "https://u:p@cos.example/",
            "a b",
            "",
        ] {
            let why = address(url).unwrap_err();
            assert!(!why.contains("example"), "{why}");
        }
    }

    proptest! {
        #[test]
        fn every_byte_is_in_one_part(size in 1_u64..5000, block in 1_u64..600) {
            let count = usize::try_from(size.div_ceil(block)).unwrap();
            let slices = cut(prepared(block, &vec![None; count], 1), size).unwrap();
            let mut next = 0;
            for (_, offset, size) in slices {
                prop_assert_eq!(offset, next);
                next += size;
            }
            prop_assert_eq!(next, size);
        }
    }
}
